import { writeFileSync } from 'node:fs';

/**
 * Writes why this process fails to `TORCHELASTIC_ERROR_FILE`, in the format of PyTorch's `ErrorHandler`: torchrun prints
 * the message of the process that failed first as the root cause. Does nothing without that variable, or if the file
 * exists: the first error is the cause of those after it.
 */
export function writeErrorFile(error: unknown, env: Readonly<Record<string, string | undefined>>): void {
  const path = env.TORCHELASTIC_ERROR_FILE;
  if (path === undefined || path === '') return;
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const content = {
    message: {
      message: `${name}: ${message}`,
      extraInfo: {
        py_callstack: stack ?? message,
        timestamp: String(Math.floor(Date.now() / 1000)),
      },
    },
  };
  try {
    writeFileSync(path, JSON.stringify(content), { flag: 'wx' });
  } catch {
    // It must not replace the error, which is reported in any case.
  }
}

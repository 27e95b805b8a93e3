import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InterruptedError, RunError } from '../src/errors.js';
import { packageFolder } from '../src/provenance/package-folder.js';

export interface ChildOptions {
  /** A file to which what it prints is appended. */
  readonly log: string;
  readonly signal: AbortSignal;
  /** Exit codes that are no failure. @default 0 alone */
  readonly statuses?: readonly number[];
}

/**
 * Runs a command of Satin in a process of its own, so that several run beside each other and each ends with its memory. What
 * it prints goes to the log. When the signal is aborted it is interrupted as by Ctrl-C, and saves its progress.
 *
 * @throws {InterruptedError} if it was interrupted.
 * @throws {RunError} if it failed, with its last sentence.
 */
export async function runChild(
  words: readonly string[],
  { log, signal, statuses = [0] }: ChildOptions,
): Promise<void> {
  const main = join(packageFolder, 'dist', 'src', 'cli', 'main.js');
  const file = openSync(log, 'a');
  try {
    const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', file, file] });
    const interrupt = () => child.kill('SIGINT');
    signal.addEventListener('abort', interrupt);
    if (signal.aborted) interrupt();
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    signal.removeEventListener('abort', interrupt);
    if (status !== null && statuses.includes(status)) return;
    if (status === 130 || signal.aborted) throw new InterruptedError('Interrupted; the progress is saved.');
    const last = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^satin: /, '');
    throw new RunError(
      'study',
      `A run of the study failed: ${last ?? `exit code ${status}`} Its output is in ${log}.`,
    );
  } finally {
    closeSync(file);
  }
}

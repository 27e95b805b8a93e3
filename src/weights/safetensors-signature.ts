import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Whether a file is in the safetensors format, judged by its content: the length of a header, which begins with `{`. */
export function isSafetensors(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(9);
    if (readSync(file, start, 0, start.length, 0) < start.length || start[8] !== 0x7b) return false;
    return start.readBigUInt64LE() <= BigInt(fstatSync(file).size - 8);
  } finally {
    closeSync(file);
  }
}

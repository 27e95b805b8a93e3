import { readSync } from 'node:fs';

/**
 * Reads a part of an open file into a buffer of its own, aligned for every element type; null if the file ends before
 * it. The caller checks the length first, since the buffer is made at once. A single system call reads less than 2 GiB.
 */
export function readPart(file: number, position: number, length: number): Buffer | null {
  const bytes = Buffer.from(new ArrayBuffer(length));
  for (let done = 0; done < length; ) {
    const count = readSync(file, bytes, done, Math.min(length - done, 2 ** 30), position + done);
    if (count === 0) return null;
    done += count;
  }
  return bytes;
}

import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/** `sha256:` digest of a file, read in chunks since it may exceed the maximum buffer size. */
export function fileDigest(path: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(1 << 20);
  const file = openSync(path, 'r');
  try {
    for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer))
      hash.update(buffer.subarray(0, length));
  } finally {
    closeSync(file);
  }
  return `sha256:${hash.digest('hex')}`;
}

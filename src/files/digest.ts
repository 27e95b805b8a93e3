import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/**
 * `sha256:` digest of a file, or of several as if they were one, read in chunks since they may exceed the maximum buffer
 * size.
 */
export function fileDigest(...paths: readonly string[]): string {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(1 << 20);
  for (const path of paths) {
    const file = openSync(path, 'r');
    try {
      for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer))
        hash.update(buffer.subarray(0, length));
    } finally {
      closeSync(file);
    }
  }
  return `sha256:${hash.digest('hex')}`;
}

import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/** `sha256:` of a file, read piece by piece: it may be larger than a buffer. */
export function fileDigest(path: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(1 << 20);
  const file = openSync(path, 'r');
  try {
    for (let length = readSync(file, piece); length > 0; length = readSync(file, piece))
      hash.update(piece.subarray(0, length));
  } finally {
    closeSync(file);
  }
  return `sha256:${hash.digest('hex')}`;
}

import { createHash } from 'node:crypto';
import { requireArgument, requireOptional } from '../user-input/require-argument.js';
import { type Dataset, subset } from './dataset.js';

/**
 * Identifies the evaluated examples, as `sha256:` and 64 hexadecimal digits: the SHA-256 of N, C, H, W and the N ids
 * (little-endian 32-bit integers), the N labels (little-endian 16-bit integers) and the pixels (bytes [N, C, H, W]). With
 * `indices` (not ids), of those examples only, in that order.
 */
export function pixelsDigest(dataset: Dataset, indices?: ArrayLike<number>): string {
  requireArgument(dataset, 'dataset', 'pixelsDigest');
  requireOptional(indices, 'list', 'the indices of pixelsDigest');
  const { shape, images, labels, ids } = indices === undefined ? dataset : subset(dataset, indices);
  const head = Buffer.alloc(16 + 6 * ids.length);
  let at = 0;
  for (const length of [ids.length, ...shape]) at = head.writeUInt32LE(length, at);
  for (const id of ids) at = head.writeUInt32LE(id, at);
  for (const label of labels) at = head.writeUInt16LE(label, at);
  return `sha256:${createHash('sha256').update(head).update(images).digest('hex')}`;
}

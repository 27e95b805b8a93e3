import { reflectedCrc32 } from '../crc32.js';

/** CRC-32C (Castagnoli), as in RFC 3720: polynomial 0x1edc6f41. */
export const crc32c = reflectedCrc32(0x82f63b78);

/** The form in which LevelDB and TensorFlow store a checksum, since checksums of checksums are weak. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

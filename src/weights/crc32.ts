/** A CRC of 32 bits that reflects its bits; `polynomial` is written in reverse, without the highest power. */
export function reflectedCrc32(polynomial: number): (bytes: Uint8Array) => number {
  const table = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc;
  });
  return (bytes) => {
    let crc = 0xffffffff;
    for (let index = 0; index < bytes.length; index++)
      crc = (crc >>> 8) ^ table[(crc ^ bytes[index]!) & 0xff]!;
    return (crc ^ 0xffffffff) >>> 0;
  };
}

/** The CRC-32 of zip archives: polynomial 0x04c11db7. */
export const crc32 = reflectedCrc32(0xedb88320);

/** What a JPEG file claims, read from its markers; nothing is decoded. */
export interface JpegHeader {
  readonly height: number;
  readonly width: number;
  readonly components: number;
  /** Whether the pixels are coded arithmetically, in possibly less than a bit a block. */
  readonly arithmetic: boolean;
  /** Passes over the image; a decoder takes the time of a whole image for each. */
  readonly scans: number;
}

/**
 * Reads the header and counts the scans, at most `mostScans` + 1 of them. A file in a single scan, as most are, is read to
 * the start of that scan only.
 *
 * @returns undefined if there is no header before the pixels.
 */
export function jpegHeader(bytes: Uint8Array, mostScans: number): JpegHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: Omit<JpegHeader, 'scans'> | undefined;
  let progressive = false;
  let scans = 0;
  for (let at = 2; ; ) {
    at = nextMarker(bytes, at);
    if (at === -1) break;
    const marker = bytes[at + 1]!;
    at += 2;
    if (marker === endOfImage) break;
    if (standsAlone(marker)) continue;
    if (at + 2 > bytes.length) break;
    const length = view.getUint16(at);
    if (isFrame(marker) && frame === undefined && at + 8 <= bytes.length) {
      progressive = (marker & 3) === 2;
      frame = {
        height: view.getUint16(at + 3),
        width: view.getUint16(at + 5),
        components: bytes[at + 7]!,
        arithmetic: marker > 0xc8,
      };
    }
    if (marker === startOfScan) {
      if (frame === undefined) return undefined;
      scans++;
      const isOnly = !progressive && bytes[at + 2]! >= frame.components;
      if (isOnly || scans > mostScans) break;
    }
    at += Math.max(2, length);
  }
  return frame && { ...frame, scans };
}

const startOfScan = 0xda;
const endOfImage = 0xd9;

/** Markers of frames: C0 to CF without those of tables (C4, CC) and of extensions (C8). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Markers without a length: restarts, the start of an image, and TEM. */
function standsAlone(marker: number): boolean {
  return (marker >= 0xd0 && marker <= 0xd8) || marker === 0x01;
}

/** The place of the next marker from `at`, past coded pixels and padding; -1 if there is none. */
function nextMarker(bytes: Uint8Array, at: number): number {
  for (let next = bytes.indexOf(0xff, at); next !== -1; next = bytes.indexOf(0xff, next + 1)) {
    const code = bytes[next + 1];
    if (code === undefined) return -1;
    if (code !== 0 && code !== 0xff) return next;
  }
  return -1;
}

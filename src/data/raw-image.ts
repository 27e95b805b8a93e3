/** Pixels as they are: bytes [H, W, C], of one (grey), three (RGB) or four channels (RGB and alpha). */
export interface RawImage {
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3 | 4;
}

/** The image cannot be decoded completely, or is refused; the message gives the reason. */
export class BrokenImage extends Error {
  /** The file in a sentence on what was received. */
  get received(): string {
    return this.message.endsWith(' file') ? this.message : `a broken one (${this.message})`;
  }
}

/** The largest image that is decoded, in pixels: 134 million. Sizes are checked before anything is decoded. */
export const mostPixels = 2 ** 27;

/** @throws {BrokenImage} for a size of zero, or above `mostPixels` */
export function requireSize(height: number, width: number): void {
  if (!(height >= 1 && width >= 1)) throw new BrokenImage(`its header says ${height}x${width} pixels`);
  if (height * width > mostPixels)
    throw new BrokenImage(
      `its header says ${height}x${width} pixels, above the limit of ${mostPixels.toLocaleString('en-US')}`,
    );
}

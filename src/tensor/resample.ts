import type { ResamplingSizes } from '../engine/addon.js';
import { native } from '../engine/native.js';

/** The interpolation filters, as Pillow and torchvision name them; both widen with the reduction (antialiasing). */
export const filters = ['bilinear', 'bicubic'] as const;

export type Filter = (typeof filters)[number];

/** A part of an image, in pixels. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export interface Resizing {
  /** What the image is brought to. */
  readonly full: readonly [height: number, width: number];
  /** Which part of that is kept. */
  readonly window: Box;
  readonly filter: Filter;
  /** Mirrors the window left to right. */
  readonly flip: boolean;
}

export interface Resampling extends Resizing {
  /** Height and width of the image. */
  readonly size: readonly [height: number, width: number];
}

/** Where the bytes go. */
export interface ByteTarget {
  readonly target: Uint8Array;
  readonly offset: number;
}

/**
 * Resizes bytes [H, W, 3] into `target` from `offset` on, as bytes [3, h, w] of the window: to the bit what Pillow's
 * `resize` gives up to version 12 (later ones resize some tall images in another order, which rounds differently). Runs
 * beside the main thread; neither array may be touched before it is done.
 *
 * @throws {InputError} for sizes that do not fit.
 */
export function resample(pixels: Uint8Array, how: Resampling, place: ByteTarget): Promise<true> {
  const { size, filter, flip } = how;
  return native().resample(pixels, sizesOf(size, how), filter, flip, place.target, place.offset);
}

/** The version of libjpeg-turbo; null where the binding was compiled without it, and `sizeOfJpeg` always gives null. */
export function jpegDecoder(): string | null {
  return native().jpegDecoder();
}

/**
 * Height and width of a JPEG file that `resampleJpeg` can be tried on; null for what another decoder has to look at: other
 * formats, CMYK, files without their end.
 */
export function sizeOfJpeg(file: Uint8Array): readonly [height: number, width: number] | null {
  return native().sizeOfJpeg(file);
}

/**
 * Decodes a box of a JPEG file and resizes it as `resample` does; the bytes are those of decoding the whole image first.
 *
 * @returns whether that could be done; where the file is damaged it could not, and the target holds anything
 * @throws {InputError} for sizes that do not fit.
 */
export function resampleJpeg(
  file: Uint8Array,
  how: Resizing & { readonly box: Box },
  place: ByteTarget,
): Promise<boolean> {
  const { box, filter, flip } = how;
  const sizes = sizesOf([box.height, box.width], how);
  return native().resampleJpeg(file, sizes, filter, flip, place.target, place.offset, box.top, box.left);
}

function sizesOf(size: readonly [number, number], { full, window }: Resizing): ResamplingSizes {
  return [...size, ...full, window.top, window.left, window.height, window.width];
}

import type { ResamplingSizes } from '../engine/addon.js';
import { native } from '../engine/native.js';

/**
 * Interpolation filters. `bilinear` and `bicubic` are Pillow's, antialiased, and named as there and in torchvision;
 * `opencv-cubic` is OpenCV's INTER_CUBIC, the cubic of a = -0.75 without antialiasing.
 */
export const filters = ['bilinear', 'bicubic', 'opencv-cubic'] as const;

export type Filter = (typeof filters)[number];

/** A rectangle of an image, in pixels. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export interface Resizing {
  /** Size to which the image is resized. */
  readonly full: readonly [height: number, width: number];
  /** The crop of the resized image to return. */
  readonly window: Box;
  readonly filter: Filter;
  /** Flip the crop horizontally. */
  readonly flip: boolean;
}

export interface Resampling extends Resizing {
  /** Input size. */
  readonly size: readonly [height: number, width: number];
}

/** Destination of the output bytes. */
export interface ByteTarget {
  readonly target: Uint8Array;
  readonly offset: number;
}

/**
 * Resizes uint8 [H, W, 3] and writes the crop as uint8 [3, h, w] to `target` at `offset`. With Pillow's filters bit-identical
 * to its `resize` up to version 12 (later versions process the axes of some tall images in another order, which rounds
 * differently); with `opencv-cubic` within 1 of OpenCV's bytes, which rounds some sums in float. Runs in a background thread; neither array may be accessed before the promise resolves.
 *
 * @throws {InputError} for inconsistent sizes.
 */
export function resample(pixels: Uint8Array, options: Resampling, output: ByteTarget): Promise<true> {
  const { size, filter, flip } = options;
  return native().resample(pixels, sizesOf(size, options), filter, flip, output.target, output.offset);
}

/**
 * The version of libjpeg-turbo; null if the binding was compiled without it, in which case `sizeOfJpeg` returns null.
 */
export function jpegDecoder(): string | null {
  return native().jpegDecoder();
}

/**
 * Height and width of a JPEG file that `resampleJpeg` may support; null if another decoder is needed: other formats,
 * CMYK, truncated files.
 */
export function sizeOfJpeg(file: Uint8Array): readonly [height: number, width: number] | null {
  return native().sizeOfJpeg(file);
}

/**
 * Decodes a box of a JPEG file and resizes it like `resample`; the result is bit-identical to decoding the whole image.
 *
 * @returns false if the file is damaged; the contents of the target are then undefined.
 * @throws {InputError} for inconsistent sizes.
 */
export function resampleJpeg(
  file: Uint8Array,
  options: Resizing & { readonly box: Box },
  output: ByteTarget,
): Promise<boolean> {
  const { box, filter, flip } = options;
  const sizes = sizesOf([box.height, box.width], options);
  return native().resampleJpeg(file, sizes, filter, flip, output.target, output.offset, box.top, box.left);
}

function sizesOf(size: readonly [number, number], { full, window }: Resizing): ResamplingSizes {
  return [...size, ...full, window.top, window.left, window.height, window.width];
}

import { native } from '../native.js';

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

export interface Resampling {
  /** Height and width of the image. */
  readonly size: readonly [height: number, width: number];
  /** What it is brought to. */
  readonly full: readonly [height: number, width: number];
  /** Which part of that is kept. */
  readonly window: Box;
  readonly filter: Filter;
  /** Mirrors the window left to right. */
  readonly flip: boolean;
}

/**
 * Resizes bytes [H, W, 3] into `target` from `offset` on, as bytes [3, h, w] of the window: to the bit what Pillow's
 * `resize` gives up to version 12 (later ones resize some tall images in another order, which rounds differently). Runs
 * beside the main thread; neither array may be touched before it is done.
 *
 * @throws {InputError} for sizes that do not fit.
 */
export function resample(
  pixels: Uint8Array,
  how: Resampling,
  place: { readonly target: Uint8Array; readonly offset: number },
): Promise<void> {
  const { size, full, window, filter, flip } = how;
  const sizes = [...size, ...full, window.top, window.left, window.height, window.width] as const;
  return native().resample(pixels, sizes, filter, flip, place.target, place.offset);
}

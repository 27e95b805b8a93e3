/**
 * Pictures of the gallery as PNG data URLs. PNGs have eight bits per channel and cannot represent an adversarial
 * example exactly: they are for display only, and never evaluated.
 */
import sharp from 'sharp';
import { InputError } from '../errors.js';
import type { GalleryExample, Picture } from './input.js';

/** Maximum side length in pixels; larger pictures are downscaled by nearest neighbour. */
const longestStored = 128;

/** Encodes a picture as `data:image/png;base64,...`, without resampling up to 128 pixels per side. */
export async function pictureUrl(picture: Picture): Promise<string> {
  return `data:image/png;base64,${(await pictureFile(picture, { longest: longestStored })).toString('base64')}`;
}

/** Encodes a picture as PNG, downscaled if a side is longer than `longest` pixels. */
export async function pictureFile(
  picture: Picture,
  { longest }: { readonly longest?: number } = {},
): Promise<Buffer> {
  const { channels, height, width } = picture;
  if (channels !== 1 && channels !== 3)
    throw InputError.expected('1 or 3 channels', 'a picture of the gallery', channels);
  const plane = height * width;
  if (picture.data.length !== channels * plane)
    throw InputError.expected(
      `${channels * plane} values (${channels} x ${height} x ${width})`,
      'a picture of the gallery',
      picture.data.length,
    );
  const values = eightBits(picture.data);
  const bytes = new Uint8Array(channels * plane); // [C, H, W] to [H, W, C]
  for (let pixel = 0; pixel < plane; pixel++)
    for (let channel = 0; channel < channels; channel++)
      bytes[pixel * channels + channel] = values[channel * plane + pixel]!;
  let image = sharp(bytes, { raw: { width, height, channels } });
  if (longest !== undefined && Math.max(width, height) > longest)
    image = image.resize({ width: longest, height: longest, fit: 'inside', kernel: 'nearest' });
  if (channels === 1) image = image.toColourspace('b-w');
  return image.png({ compressionLevel: 9 }).toBuffer();
}

/** Quantises pixels in [0, 1] to 8 bits, rounding to nearest. */
export function eightBits(pixels: Float32Array): Uint8Array {
  return Uint8Array.from(pixels, (value) => Math.round(Math.min(1, Math.max(0, value)) * 255));
}

/** The perturbation x' − x, magnified about mid-grey: 0.5 + factor (x' − x). */
export function magnifiedChange(image: Picture, adversarial: Picture, factor: number): Picture {
  if (image.data.length !== adversarial.data.length)
    throw InputError.expected(
      `${image.data.length} values, as in its image`,
      'an adversarial picture of the gallery',
      adversarial.data.length,
    );
  const data = adversarial.data.map((value, index) => 0.5 + factor * (value - image.data[index]!));
  return { ...image, data };
}

/**
 * The magnification factor of a gallery: the largest integer for which no magnified perturbation leaves [0, 1] (0.5 if
 * even 1 is too large, 1 if nothing changed).
 */
export function magnification(gallery: readonly GalleryExample[]): number {
  let largest = 0;
  for (const { image, networks } of gallery)
    for (const { adversarial } of networks)
      for (let index = 0; index < adversarial.data.length; index++)
        largest = Math.max(largest, Math.abs(adversarial.data[index]! - (image.data[index] ?? 0)));
  if (largest === 0) return 1;
  const tolerance = 1e-3; // ε = 0.1 in float32 reaches 0.1000001; the factor is still 5
  const factor = Math.floor(0.5 / largest + tolerance);
  return factor >= 1 ? factor : 0.5;
}

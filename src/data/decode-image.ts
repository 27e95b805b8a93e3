import { availableParallelism } from 'node:os';
import type Sharp from 'sharp';
import type { ResizeOptions } from 'sharp';
import { InputError } from '../errors.js';
import { datasetError, firstLine } from './dataset-error.js';
import { readExisting } from './read-file.js';

/**
 * How an image is resized to the network's input: `crop` scales to cover the size and crops the centre, `stretch` changes
 * the aspect ratio, `pad` scales to fit and fills the rest with white.
 */
export const resizeRules = ['crop', 'stretch', 'pad'] as const;

export type ResizeRule = (typeof resizeRules)[number];

export interface ImageForm {
  /** Pixels: height, width. */
  readonly size: readonly [height: number, width: number];
  /** `refuse` takes images of exactly this size. @default 'crop' */
  readonly resize?: ResizeRule | 'refuse' | undefined;
  /** 3 is red, green, blue (sRGB), 1 is grey. @default 3 */
  readonly channels?: 1 | 3 | undefined;
}

export interface DecodeAll {
  readonly files: readonly string[];
  readonly form: ImageForm;
  /** Called after each image. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Colour of transparent pixels and of the borders of `pad`. */
const background = '#ffffff';
const fits = { crop: 'cover', stretch: 'fill', pad: 'contain' } as const;

/** Loaded with the first image: it takes a tenth of a second, which help texts should not pay for. */
let loading: Promise<typeof Sharp> | undefined;

/** sharp, without cache and with one thread per image. */
export function loadSharp(): Promise<typeof Sharp> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    // Every file is read once, so a cache only costs memory; files are decoded concurrently, with one thread each.
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  });
  return loading;
}

/**
 * Decodes one image file (JPEG, PNG, WebP, GIF, TIFF or AVIF, recognised by content) to bytes [C, H, W]: rotated by its EXIF
 * orientation, converted to sRGB, transparency blended with white.
 *
 * @throws {InputError} for a file that is not an image, truncated or damaged.
 */
export async function decodeImage(file: string, form: ImageForm): Promise<Uint8Array> {
  const { height, width, resize, channels } = checkedForm(form);
  const to: ResizeOptions | undefined =
    resize === 'refuse' ? undefined : { height, width, fit: fits[resize], position: 'centre', background };
  const decoded = await decodePixels(file, channels, to);
  if (decoded.height !== height || decoded.width !== width)
    throw datasetError({
      file,
      expected: `an image of ${height}x${width} pixels (height x width), as the others have,`,
      received: `one of ${decoded.height}x${decoded.width}`,
      remedy: `Say to which size all images are brought, and how (${resizeRules.join(', ')}).`,
    });
  return channels === 1 ? decoded.pixels : planes(decoded.pixels, height * width);
}

/** Height and width of an image after EXIF rotation. @throws as `decodeImage` */
export async function imageSize(file: string): Promise<[height: number, width: number]> {
  const { height, width } = await decodePixels(file, 3, undefined);
  return [height, width];
}

/** [H, W, C], resized if `to` is given. */
async function decodePixels(file: string, channels: 1 | 3, to: ResizeOptions | undefined) {
  const sharp = await loadSharp();
  const encoded = await readExisting(file);
  try {
    const upright = sharp(encoded, { failOn: 'warning' }).autoOrient().flatten({ background });
    const { data, info } = await (to === undefined ? upright : upright.resize(to))
      .toColourspace(channels === 3 ? 'srgb' : 'b-w')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) throw new Error(`it has ${info.channels} channels`);
    return { pixels: data, height: info.height, width: info.width };
  } catch (error) {
    throw datasetError({
      file,
      expected: 'an image that can be read to its end',
      received: encoded.length === 0 ? 'an empty file' : `a broken one (${firstLine(error)})`,
      remedy: 'Replace the file or delete it.',
    });
  }
}

/**
 * Decodes all `files` into one array [N, C, H, W], concurrently on all processors. Of several broken files the error names
 * the first in the order of `files`.
 */
export async function decodeImages({ files, form, onProgress }: DecodeAll): Promise<Uint8Array> {
  const { height, width, channels } = checkedForm(form);
  const bytes = height * width * channels;
  const images = allocate(files.length, bytes);
  let next = 0;
  let done = 0;
  const broken: { readonly index: number; readonly error: unknown }[] = [];
  const work = async (): Promise<void> => {
    while (next < files.length && broken.length === 0) {
      const index = next++;
      try {
        images.set(await decodeImage(files[index]!, form), index * bytes);
        onProgress?.(++done, files.length);
      } catch (error) {
        broken.push({ index, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), files.length) }, work));
  // Every file before the first broken one was started before it, so none of them is missed.
  const [first] = broken.sort((a, b) => a.index - b.index);
  if (first !== undefined) throw first.error;
  return images;
}

/** [H, W, C] to [C, H, W] for three channels. */
function planes(pixels: Uint8Array, area: number): Uint8Array {
  const out = new Uint8Array(3 * area);
  for (let at = 0, from = 0; at < area; at++) {
    out[at] = pixels[from++]!;
    out[area + at] = pixels[from++]!;
    out[2 * area + at] = pixels[from++]!;
  }
  return out;
}

function checkedForm({ size, resize = 'crop', channels = 3 }: ImageForm) {
  const [height, width] = size;
  for (const length of [height, width])
    if (!Number.isInteger(length) || length < 1 || length > 4096)
      throw InputError.expected('a height and a width from 1 to 4096 pixels', 'the image size', size);
  if (resize !== 'refuse' && !resizeRules.includes(resize))
    throw InputError.expected(`one of ${resizeRules.join(', ')}`, 'the resize rule', resize);
  if (channels !== 1 && channels !== 3) throw InputError.expected('1 or 3', 'the image channels', channels);
  return { height, width, resize, channels };
}

/** Allocates memory for `count` images. @throws {InputError} if it does not suffice */
export function allocate(count: number, bytes: number): Uint8Array {
  try {
    return new Uint8Array(count * bytes);
  } catch (error) {
    const gigabytes = ((count * bytes) / 1e9).toFixed(1);
    throw new InputError(
      'too-large',
      `Expected images that fit in memory but received ${count} of ${bytes} bytes, ${gigabytes} GB. Choose a smaller image size or fewer images.`,
      { cause: error },
    );
  }
}

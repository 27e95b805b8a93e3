import { availableParallelism } from 'node:os';
import type { ResizeOptions, Sharp } from 'sharp';
import { InputError } from '../errors.js';
import { nameList } from '../user-input/name-list.js';
import { requireArgument, requireList } from '../user-input/require-argument.js';
import { countOf, datasetError, firstLine } from './dataset-error.js';
import { type BrokenRule, type ResizeRule, resizeRules } from './image-rules.js';
import { type OpenedImage, openImage } from './open-image.js';
import { BrokenImage } from './raw-image.js';
import { readImageFile } from './read-file.js';

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
  /** @default 'refuse' */
  readonly broken?: BrokenRule | undefined;
  /** How broken files can be left out, as a sentence; where nothing does, none. */
  readonly remedy?: string | undefined;
  /** Called after each image. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Colour of transparent pixels and of the borders of `pad`. */
const background = '#ffffff';
const fits = { crop: 'cover', stretch: 'fill', pad: 'contain' } as const;

/** Decoded images. */
export interface DecodedImages {
  /** [N, C, H, W], without those that were left out. */
  readonly images: Uint8Array;
  /** The index in `files` of each. */
  readonly kept: Uint32Array;
  /** Images that were left out, or read although something about them is odd: one sentence for each kind. */
  readonly warnings: readonly string[];
}

/**
 * Decodes one image file (in a format of `formatList`, recognised by content) to bytes [C, H, W]: rotated by its EXIF
 * orientation, converted to sRGB, transparency blended with white.
 *
 * @throws {InputError} for a file that is not an image, truncated or damaged.
 */
export async function decodeImage(file: string, form: ImageForm): Promise<Uint8Array> {
  return (await refusing(file, () => decode(file, form))).pixels;
}

/** Height and width of an image after EXIF rotation. @throws as `decodeImage` */
export function imageSize(file: string): Promise<[height: number, width: number]> {
  return refusing(file, async () => {
    const { height, width } = await decodePixels(file, 3, undefined);
    return [height, width];
  });
}

async function refusing<T>(file: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof BrokenImage)) throw error;
    throw datasetError({ file, expected: wanted, received: error.received, remedy: replace });
  }
}

const wanted = 'an image that can be read to its end';
const replace = 'Replace the file or delete it.';

/** An image, and what is odd about its file, without which it would be read in silence. */
interface Decoded {
  readonly pixels: Uint8Array;
  readonly remark: string | null;
}

async function decode(file: string, form: ImageForm): Promise<Decoded> {
  const { height, width, resize, channels } = checkedForm(form);
  const to: ResizeOptions | undefined =
    resize === 'refuse' ? undefined : { height, width, fit: fits[resize], position: 'centre', background };
  const { pixels, remark, ...decoded } = await decodePixels(file, channels, to);
  if (decoded.height !== height || decoded.width !== width)
    throw datasetError({
      file,
      expected: `an image of ${height}x${width} pixels (height x width), as the others have,`,
      received: `one of ${decoded.height}x${decoded.width}`,
      remedy: `Say to which size all images are brought (data.size, or \`shape\`), and how: ${resizeRules.join(', ')}.`,
    });
  return { pixels: channels === 1 ? pixels : planes(pixels, height * width), remark };
}

/** [H, W, C], resized if `to` is given. @throws {BrokenImage} */
async function decodePixels(file: string, channels: 1 | 3, to: ResizeOptions | undefined) {
  const opened = await openImage(await readImageFile(file), {});
  const decoding = (image: Sharp) => {
    const upright = image.autoOrient().flatten({ background });
    return (to === undefined ? upright : upright.resize(to))
      .toColourspace(channels === 3 ? 'srgb' : 'b-w')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
  };
  let remark = await darkness(opened);
  // A warning of a decoder is not damage: Pillow, and so the readers of PyTorch, do not show it. It is told.
  const { data, info } = await decoding(opened.open({ failOn: 'warning' })).catch((warning: unknown) => {
    remark = warningOf(warning);
    return decoding(opened.open({ failOn: 'error' })).catch((error: unknown) => {
      throw new BrokenImage(firstLine(error), { cause: error });
    });
  });
  if (info.channels !== channels) throw new BrokenImage(`it has ${info.channels} channels`);
  return { pixels: data, height: info.height, width: info.width, remark };
}

/** What a decoder warns of. The text is lost where another image is decoded at the same time: libvips keeps one for all. */
function warningOf(warning: unknown): string {
  const text = firstLine(warning);
  return /failOn/.test(text) ? 'the decoder warns' : `the decoder warns: ${text}`;
}

/** Cameras and scanners store values of up to 12 bits in 16, whose white is 65535: then every image is nearly black. */
async function darkness({ metadata: { depth }, open }: OpenedImage): Promise<string | null> {
  if (depth !== 'ushort') return null;
  const statistics = await open({ failOn: 'error' })
    .stats()
    .catch((error: unknown) => {
      throw new BrokenImage(firstLine(error), { cause: error });
    });
  const most = Math.max(...statistics.channels.map(({ max }) => max));
  return most > 0 && most < 4096 ? '16-bit values stay below 4096 of 65535, which is nearly black' : null;
}

/**
 * Decodes all `files` into one array, concurrently on all processors.
 *
 * @throws {InputError} naming every broken file, unless they are to be left out; and for files of another size, the first in
 *   the order of `files`.
 */
export async function decodeImages(options: DecodeAll): Promise<DecodedImages> {
  requireArgument(options, 'options', 'decodeImages');
  requireList(options.files, 'text', 'the files of decodeImages');
  const { files, form, broken: rule = 'refuse', remedy, onProgress } = options;
  const { height, width, channels } = checkedForm(form);
  const bytes = height * width * channels;
  const images = allocate(files.length, bytes);
  const broken = new Map<number, BrokenImage>();
  const remarks = new Map<number, string>();
  let failed = { index: files.length, error: undefined as unknown };
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    // Every file before a failed one was started before it, so none of them is missed.
    while (next < failed.index) {
      const index = next++;
      try {
        const { pixels, remark } = await decode(files[index]!, form);
        images.set(pixels, index * bytes);
        if (remark !== null) remarks.set(index, remark);
      } catch (error) {
        if (error instanceof BrokenImage) broken.set(index, error);
        else if (index < failed.index) failed = { index, error };
      }
      onProgress?.(++done, files.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), files.length) }, work));
  if (failed.index < files.length) throw failed.error;
  const told = [...broken]
    .sort(([a], [b]) => a - b)
    .map(([index, { message }]) => `${files[index]} (${message})`);
  const [[only, why] = []] = broken;
  if (rule === 'refuse' && why !== undefined) {
    const replaced = remedy === undefined ? '' : ` ${remedy}`;
    if (broken.size === 1)
      throw datasetError({
        file: files[only!]!,
        expected: wanted,
        received: why.received,
        remedy: `${replace}${replaced}`,
      });
    throw new InputError(
      'unusable-data',
      `Expected images that can be read to their end but received ${countOf(broken.size, 'broken one')} of ${files.length}: ${nameList(told, { most: 20, length: 500 })}. Replace the files or delete them.${replaced}`,
    );
  }
  const kept = Uint32Array.from(files.keys()).filter((index) => !broken.has(index));
  if (broken.size > 0)
    for (const [to, from] of kept.entries()) images.copyWithin(to * bytes, from * bytes, (from + 1) * bytes);
  return {
    images: images.subarray(0, kept.length * bytes),
    kept,
    warnings: [
      ...(broken.size === 0
        ? []
        : [
            `Left out ${countOf(broken.size, 'broken image')} of ${files.length}: ${nameList(told, { most: 20, length: 500 })}.`,
          ]),
      ...remarksInWords(remarks, files),
    ],
  };
}

/** One sentence for each remark, in the order of the files. */
function remarksInWords(remarks: ReadonlyMap<number, string>, files: readonly string[]): string[] {
  const byText = new Map<string, number[]>();
  for (const [index, text] of [...remarks].sort(([a], [b]) => a - b)) {
    const kind = text.replaceAll(/\d+/g, '0'); // decoders count bytes
    const indices = byText.get(kind);
    if (indices === undefined) byText.set(kind, [index]);
    else indices.push(index);
  }
  return [...byText.values()].map(
    (indices) =>
      `Read ${countOf(indices.length, 'image')}, but ${remarks.get(indices[0]!)} (${nameList(
        indices.map((index) => files[index]!),
        { most: 3, length: 500 },
      )}).`,
  );
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

function checkedForm(form: ImageForm) {
  requireArgument(form, 'options', 'the form of images');
  const { size, resize = 'crop', channels = 3 } = form;
  requireArgument(size, 'list', 'the image size');
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

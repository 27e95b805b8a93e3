import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { type Filter, resample, resampleJpeg, sizeOfJpeg } from '../../tensor/resample.js';
import { firstLine } from '../dataset-error.js';
import { openImage, requireFormat } from '../open-image.js';
import { BrokenImage } from '../raw-image.js';
import type { View } from './crop.js';

/**
 * Decodes, crops and resizes an image to the network's input with torchvision's pixels: its loader is Pillow's
 * `convert('RGB')`, which ignores EXIF orientation and colour profiles, drops alpha and converts CMYK arithmetically.
 * Cropping precedes resizing, so no pixel outside the box contributes. libjpeg-turbo decodes common JPEG files; sharp
 * decodes everything else and decides whether a file is damaged.
 */
export interface DecodeOptions {
  /** The crop for an image of the given size. */
  readonly viewOf: (size: readonly [height: number, width: number]) => View;
  readonly filter: Filter;
  /**
   * `exact` gives torchvision's pixels. `fast` lets the JPEG decoder shrink images that are at least three times larger
   * than needed and sharp resize them, with slightly different pixels.
   */
  readonly decoding: 'exact' | 'fast';
  /** Destination of the window, bytes [3, height, width]. */
  readonly target: Uint8Array;
  readonly offset: number;
}

/** Decodes one image. @throws {BrokenImage} if it is damaged. */
export async function decodeView(encoded: Uint8Array, options: DecodeOptions): Promise<void> {
  const format = requireFormat(encoded);
  if (format === 'jpeg' && options.decoding === 'exact' && (await decodeJpeg(encoded, options))) return;
  const { metadata, open } = await openImage(encoded, input);
  const image = open();
  const size = [metadata.height, metadata.width] as const;
  const view = options.viewOf(size);
  if (options.decoding === 'fast' && shrinks(metadata, view)) {
    await decodeShrunk({ image: open(), view, options });
    return;
  }
  const { box } = view;
  const whole = box.height === metadata.height && box.width === metadata.width;
  const cropped = whole ? image : image.extract(box);
  const pixels = await reading(() => (metadata.space === 'cmyk' ? cmykPixels(cropped) : rgbPixels(cropped)));
  const { full, window, flip } = view;
  const how = { size: [box.height, box.width] as const, full, window, filter: options.filter, flip };
  await resample(pixels, how, options);
}

/** Whether libjpeg-turbo decoded it. */
async function decodeJpeg(file: Uint8Array, options: DecodeOptions): Promise<boolean> {
  const size = sizeOfJpeg(file);
  return (
    size !== null && (await resampleJpeg(file, { ...options.viewOf(size), filter: options.filter }, options))
  );
}

/** As Pillow reads: without colour profile and orientation; warnings of the decoder are not errors. */
const input: SharpOptions = { failOn: 'error', ignoreIcc: true, autoOrient: false };

async function reading<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw new BrokenImage(firstLine(error), { cause: error });
  }
}

async function rgbPixels(image: Sharp): Promise<Uint8Array> {
  const { data, info } = await image
    .removeAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`it has ${info.channels} channels`);
  return data;
}

/** As Pillow: with n = 255 - K, each of red, green and blue is n - n C / 255, rounded. */
async function cmykPixels(image: Sharp): Promise<Uint8Array> {
  const { data, info } = await image
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 4) throw new Error(`it has ${info.channels} channels`);
  const pixels = new Uint8Array((data.length / 4) * 3);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    const light = 255 - data[from + 3]!;
    for (let ink = 0; ink < 3; ink++) pixels[to++] = light - Math.round((data[from + ink]! * light) / 255);
  }
  return pixels;
}

/** sharp shrinks on load from a reduction by three on. */
function shrinks({ format, space }: Metadata, { box, full }: View): boolean {
  return format === 'jpeg' && space !== 'cmyk' && Math.min(box.height / full[0], box.width / full[1]) >= 3;
}

interface Shrunk {
  readonly image: Sharp;
  readonly view: View;
  readonly options: DecodeOptions;
}

/** Resizes the whole image by the factor of the box, then crops the window. */
async function decodeShrunk({ image, view, options }: Shrunk): Promise<void> {
  const { box, full, window, flip } = view;
  const { height, width } = await reading(() => image.metadata());
  const [down, across] = [full[0] / box.height, full[1] / box.width];
  const reduced = { height: Math.round(height * down), width: Math.round(width * across) };
  const top = Math.min(Math.round(box.top * down) + window.top, reduced.height - window.height);
  const left = Math.min(Math.round(box.left * across) + window.left, reduced.width - window.width);
  const kernel = options.filter === 'bilinear' ? 'linear' : 'cubic';
  const pixels = await reading(() =>
    rgbPixels(
      image
        .resize({ ...reduced, fit: 'fill', kernel })
        .extract({ top, left, height: window.height, width: window.width }),
    ),
  );
  const size = [window.height, window.width] as const;
  const how = { size, full: size, window: { ...window, top: 0, left: 0 }, filter: options.filter, flip };
  await resample(pixels, how, options);
}

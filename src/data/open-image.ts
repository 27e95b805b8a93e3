import type Sharp from 'sharp';
import type { Sharp as Image, Metadata, SharpOptions } from 'sharp';
import { decodeBitmap } from './bitmap.js';
import { firstLine } from './dataset-error.js';
import { formatList, formatOf, type ImageFormat, otherFormat } from './image-format.js';
import { jpegHeader } from './jpeg-header.js';
import { decodePixmap } from './portable-pixmap.js';
import { BrokenImage, mostPixels, requireSize } from './raw-image.js';
import { areKnown, tiffSamples } from './tiff-samples.js';

/** Loaded with the first image: it takes a tenth of a second, which help texts should not pay for. */
let loading: Promise<typeof Sharp> | undefined;

/** sharp, without cache and with one thread per image. */
function loadSharp(): Promise<typeof Sharp> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    // Every file is read once, so a cache only costs memory; files are decoded concurrently, with one thread each.
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  });
  return loading;
}

/** The versions of all decoders, as one text. */
export async function decoderVersions(): Promise<string> {
  const { versions } = await loadSharp();
  return JSON.stringify(versions);
}

/** Passes of a progressive JPEG; encoders use about ten, and a file can hold thousands that say nothing. */
const mostScans = 100;
/** Pixels that a byte of a Huffman-coded JPEG can stand for: one bit for a block of 8x8. */
const pixelsPerByte = 8 * 64;

export interface OpenedImage {
  readonly metadata: Metadata;
  /** The image, not yet decoded; each call gives another one, with these options beside those of `openImage`. */
  open(options?: SharpOptions): Image;
}

/**
 * Checks, before any pixel is decoded, that an encoded image is in one of the formats that are read, is not too large, and
 * that each of its channels is a colour or alpha of 8 or 16 bits. All images are opened here.
 *
 * @throws {BrokenImage} for what is none of these, or damaged.
 */
export async function openImage(encoded: Uint8Array, options: SharpOptions): Promise<OpenedImage> {
  const format = requireFormat(encoded);
  const sharp = await loadSharp();
  const raw = format === 'bmp' ? decodeBitmap(encoded) : format === 'pnm' ? decodePixmap(encoded) : null;
  const limits = { limitInputPixels: mostPixels };
  const open = (more?: SharpOptions) =>
    raw === null
      ? sharp(encoded, { ...options, ...more, ...limits })
      : sharp(raw.pixels, { raw: { height: raw.height, width: raw.width, channels: raw.channels } });
  const metadata = await open()
    .metadata()
    .catch((error: unknown) => {
      throw new BrokenImage(firstLine(error), { cause: error });
    });
  requireSize(metadata.height, metadata.width);
  requireKnownPixels(metadata);
  if (format === 'tiff' && metadata.hasAlpha && tiffSamples(encoded) === undefined)
    throw new BrokenImage('whether its last channel is alpha is not known: save the colours alone');
  return { metadata, open };
}

/**
 * The format of an encoded image, by its content; of a JPEG the claims of its header are checked.
 *
 * @throws {BrokenImage} for no such format, and for claims that the file cannot hold or that are above the limits.
 */
export function requireFormat(encoded: Uint8Array): ImageFormat {
  if (encoded.length === 0) throw new BrokenImage('an empty file');
  const format = formatOf(encoded);
  if (format === undefined) throw new BrokenImage(`it is ${otherFormat(encoded)}; ${formatList} are read`);
  if (format === 'jpeg') requireModestJpeg(encoded);
  if (format === 'tiff') {
    const samples = tiffSamples(encoded);
    if (samples !== undefined && !areKnown(samples))
      throw new BrokenImage(
        `its ${samples.samples} channels are not grey, RGB or CMYK with alpha at most: save the colours alone`,
      );
  }
  return format;
}

function requireModestJpeg(encoded: Uint8Array): void {
  const header = jpegHeader(encoded, mostScans);
  if (header === undefined) return; // which the decoder refuses
  const { height, width, scans, arithmetic } = header;
  requireSize(height, width);
  if (scans > mostScans) throw new BrokenImage(`it has more than ${mostScans} scans`);
  if (!arithmetic && height * width > encoded.length * pixelsPerByte)
    throw new BrokenImage(
      `its header says ${height}x${width} pixels, more than ${encoded.length} bytes can hold: it is cut short`,
    );
}

/** What each channel means must be known: a guess would be a wrong picture, silently. */
function requireKnownPixels({ depth, space, channels }: Metadata): void {
  if (depth !== 'uchar' && depth !== 'ushort')
    throw new BrokenImage(
      `its pixels are of the type ${depth}, whose black and white are not known: save it with 8 or 16 bits`,
    );
  const most = space === 'cmyk' ? 5 : 4;
  if (channels > most) throw new BrokenImage(`it has ${channels} channels: save the colours alone`);
}

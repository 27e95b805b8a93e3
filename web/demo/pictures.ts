import type { DemoDescription } from '../../src/browser/demo-description.js';

type Shape = DemoDescription['shape'];

/** Pixels of a picture in [0, 1], [C, H, W], from a canvas of its size. */
export function readPixels(
  context: CanvasRenderingContext2D,
  [channels, height, width]: Shape,
): Float32Array {
  const { data } = context.getImageData(0, 0, width, height);
  const plane = height * width;
  const pixels = new Float32Array(channels * plane);
  for (let at = 0; at < plane; at++) {
    const [red, green, blue] = [data[4 * at]!, data[4 * at + 1]!, data[4 * at + 2]!];
    if (channels === 3)
      for (const [channel, value] of [red, green, blue].entries()) pixels[channel * plane + at] = value / 255;
    else
      pixels[at] = (red === green && green === blue ? red : 0.299 * red + 0.587 * green + 0.114 * blue) / 255;
  }
  return pixels;
}

/** Draws pixels, [C, H, W], on a canvas, which becomes of their size. */
export function drawPixels(
  canvas: HTMLCanvasElement,
  pixels: Float32Array,
  [channels, height, width]: Shape,
): void {
  canvas.width = width;
  canvas.height = height;
  const plane = height * width;
  const image = new ImageData(width, height);
  for (let at = 0; at < plane; at++) {
    for (let channel = 0; channel < 3; channel++)
      image.data[4 * at + channel] = Math.round(255 * pixels[(channels === 1 ? 0 : channel) * plane + at]!);
    image.data[4 * at + 3] = 255;
  }
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}

/** A change, magnified about grey so that `limit` is black or white. */
export function magnified(change: Float32Array, limit: number): Float32Array {
  return change.map((value) => Math.min(1, Math.max(0, 0.5 + (0.5 * value) / limit)));
}

/**
 * The pixels of an image file, its centre cut to the shape that the networks take. A file of that shape is read as it is.
 *
 * @throws if the browser cannot decode it.
 */
export async function decodePicture(file: Blob, shape: Shape): Promise<Float32Array> {
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: 'none' });
  try {
    return readPixels(cutTo(bitmap, shape), shape);
  } finally {
    bitmap.close();
  }
}

/** A picture's centre on a canvas of the networks' size. */
export function cutTo(
  source: CanvasImageSource & { readonly width: number; readonly height: number },
  [, height, width]: Shape,
): CanvasRenderingContext2D {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.imageSmoothingQuality = 'high';
  const scale = Math.max(width / source.width, height / source.height);
  const [cutWidth, cutHeight] = [width / scale, height / scale];
  context.fillStyle = 'white'; // under transparent parts
  context.fillRect(0, 0, width, height);
  context.drawImage(
    source,
    (source.width - cutWidth) / 2,
    (source.height - cutHeight) / 2,
    cutWidth,
    cutHeight,
    0,
    0,
    width,
    height,
  );
  return context;
}

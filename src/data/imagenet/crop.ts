import type { Box } from '../../tensor/resample.js';

/** A crop of an image: `box` is resized to `full`, of which the window is kept. */
export interface View {
  readonly box: Box;
  readonly full: readonly [height: number, width: number];
  readonly window: Box;
  readonly flip: boolean;
}

export interface RandomCrop {
  /** Share of the image's area, lowest and highest. */
  readonly scale: readonly [number, number];
  /** Width over height, lowest and highest. */
  readonly ratio: readonly [number, number];
}

const tries = 10;
const perTry = 4;

/** Number of uniform draws in [0, 1) for `randomView`: its tries, then one for the flip. */
export const viewDraws = tries * perTry + 1;

/**
 * torchvision's `RandomResizedCrop` with `RandomHorizontalFlip`: area uniform in `scale`, log aspect ratio uniform in the
 * logarithm of `ratio`, uniform position; after ten crops that do not fit, the largest centre crop within `ratio`. Resized
 * to `size` x `size`.
 */
export function randomView(
  [height, width]: readonly [height: number, width: number],
  options: RandomCrop & { readonly size: number; readonly flip: boolean; readonly draws: ArrayLike<number> },
): View {
  const { size, draws } = options;
  const box = randomBox(height, width, options);
  const flip = options.flip && draws[tries * perTry]! < 0.5;
  return { box, full: [size, size], window: { top: 0, left: 0, height: size, width: size }, flip };
}

function randomBox(
  height: number,
  width: number,
  { scale, ratio, draws }: RandomCrop & { readonly draws: ArrayLike<number> },
): Box {
  const between = ([low, high]: readonly [number, number], draw: number) => low + (high - low) * draw;
  const logarithms = [Math.log(ratio[0]), Math.log(ratio[1])] as const;
  for (let attempt = 0; attempt < tries; attempt++) {
    const draw = (index: number) => draws[attempt * perTry + index]!;
    const area = height * width * between(scale, draw(0));
    const proportions = Math.exp(between(logarithms, draw(1)));
    const cropWidth = Math.round(Math.sqrt(area * proportions));
    const cropHeight = Math.round(Math.sqrt(area / proportions));
    if (cropWidth > 0 && cropWidth <= width && cropHeight > 0 && cropHeight <= height)
      return {
        top: Math.floor(draw(2) * (height - cropHeight + 1)),
        left: Math.floor(draw(3) * (width - cropWidth + 1)),
        height: cropHeight,
        width: cropWidth,
      };
  }
  const proportions = width / height;
  const cropHeight = proportions < ratio[0] ? Math.round(width / ratio[0]) : height;
  const cropWidth = proportions > ratio[1] ? Math.round(height * ratio[1]) : width;
  return {
    top: Math.floor((height - cropHeight) / 2),
    left: Math.floor((width - cropWidth) / 2),
    height: cropHeight,
    width: cropWidth,
  };
}

/**
 * Where the centre of an image is, which programs round in different ways:
 *
 * - `torchvision`: `Resize(resize)` with `CenterCrop(size)`; the longer side is rounded down, half a pixel to even;
 * - `tensorpack`: `ResizeShortestEdge` with `CenterCrop`; the longer side is rounded to the nearest, half a pixel down;
 * - `tpu`: TensorFlow's TPU code, which crops size / resize of the shorter side, rounded down, and then resizes.
 */
export const centreRules = ['torchvision', 'tensorpack', 'tpu'] as const;

export type CentreRule = (typeof centreRules)[number];

/**
 * The shorter side is resized to `resize`, the longer one in proportion, then the centre `size` x `size` is cropped.
 * Requires `resize` at least `size`.
 */
export function centreView(
  [height, width]: readonly [height: number, width: number],
  {
    resize,
    size,
    centre = 'torchvision',
  }: { readonly resize: number; readonly size: number; readonly centre?: CentreRule | undefined },
): View {
  if (centre === 'tpu') return croppedFirst([height, width], size / resize, size);
  const [shorter, longer] = [Math.min(height, width), Math.max(height, width)];
  const isTensorpack = centre === 'tensorpack';
  const scaled = isTensorpack
    ? Math.floor((resize / shorter) * longer + 0.5)
    : Math.floor((resize * longer) / shorter);
  const full = height <= width ? ([resize, scaled] as const) : ([scaled, resize] as const);
  const half = isTensorpack ? (length: number) => Math.floor(length / 2) : halfEven;
  return {
    box: { top: 0, left: 0, height, width },
    full,
    window: { top: half(full[0] - size), left: half(full[1] - size), height: size, width: size },
    flip: false,
  };
}

/** The centre square of `share` of the shorter side, in float32 as TensorFlow computes it, resized to `size`. */
function croppedFirst([height, width]: readonly [number, number], share: number, size: number): View {
  const side = Math.trunc(Math.fround(Math.fround(share) * Math.min(height, width)));
  const begin = (length: number) => Math.floor((length - side + 1) / 2);
  return {
    box: { top: begin(height), left: begin(width), height: side, width: side },
    full: [size, size],
    window: { top: 0, left: 0, height: size, width: size },
    flip: false,
  };
}

/** Half of an integer, with ties rounded to even as in Python. */
function halfEven(length: number): number {
  const half = Math.floor(length / 2);
  return length % 2 === 0 || half % 2 === 0 ? half : half + 1;
}

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
 * torchvision's `Resize(resize)` with `CenterCrop(size)`: the shorter side is resized to `resize`, the longer one in
 * proportion (rounded down), then the centre `size` x `size` is cropped. Requires `resize` at least `size`.
 */
export function centreView(
  [height, width]: readonly [height: number, width: number],
  { resize, size }: { readonly resize: number; readonly size: number },
): View {
  const longer = Math.floor((resize * Math.max(height, width)) / Math.min(height, width));
  const full = height <= width ? ([resize, longer] as const) : ([longer, resize] as const);
  return {
    box: { top: 0, left: 0, height, width },
    full,
    window: { top: halfEven(full[0] - size), left: halfEven(full[1] - size), height: size, width: size },
    flip: false,
  };
}

/** Half of an integer, with ties rounded to even as in Python. */
function halfEven(length: number): number {
  const half = Math.floor(length / 2);
  return length % 2 === 0 || half % 2 === 0 ? half : half + 1;
}

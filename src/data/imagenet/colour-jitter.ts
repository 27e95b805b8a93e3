import { cat, tensor } from '../../tensor/create.js';
import { matmul } from '../../tensor/functional.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ColourOptions, colourChange, isOff, type Vector } from './colour-draws.js';

/** Weights of red, green and blue in grey, as in torchvision. */
const grey = [0.2989, 0.587, 0.114] as const;

/** The map of a pixel: v → matrix v + shift. */
export interface ColourMap {
  readonly matrix: readonly [Vector, Vector, Vector];
  readonly shift: Vector;
}

/**
 * Applies brightness, contrast, saturation and lighting in a random order for each image, in real numbers: contrast about
 * the image's mean grey, as fb.resnet.torch and torchvision, clipped to [0, 1] once at the end. Each step is an affine map
 * v → M v + t of a pixel (contrast uses the mean colour at that step), so the four steps compose to one affine map per
 * image.
 *
 * @param x pixels in [0, 1], [N, 3, H, W]
 * @param draws `colourDraws` uniform numbers for each image
 */
export function jitterColours(
  x: Tensor,
  options: ColourOptions,
  draws: readonly ArrayLike<number>[],
): Tensor {
  if (isOff(options)) return x;
  return scope(() => {
    const [count, , height, width] = x.shape as [number, number, number, number];
    const means = x.mean([2, 3]); // [N, 3]
    const maps = x.device === 'cpu' ? mapsAfterReading : mapsWithoutReading;
    const { matrices, shifts } = maps(options, draws, means);
    return matmul(matrices, x.flatten(2)) // [N, 3, H·W]
      .add(shifts)
      .clamp(0, 1)
      .reshape([count, 3, height, width]);
  });
}

/** The maps of a batch, float32: matrices [N, 3, 3], shifts [N, 3, 1]. */
interface ColourMaps {
  readonly matrices: Tensor;
  readonly shifts: Tensor;
}

/** The maps of images whose mean colours are `means` [N, 3], computed in float64 from the means as numbers. */
export function mapsAfterReading(
  options: ColourOptions,
  draws: readonly ArrayLike<number>[],
  means: Tensor,
): ColourMaps {
  const numbers = means.numbers();
  const maps = draws.map((draw, at) =>
    colourMap(options, draw, [numbers[3 * at]!, numbers[3 * at + 1]!, numbers[3 * at + 2]!]),
  );
  return { matrices: matricesOf(maps, means.device), shifts: shiftsOf(maps, means.device) };
}

/**
 * The same up to rounding, without waiting for a card to compute the means: only the shift depends on the mean, by an
 * affine function, shift(m) = shift(0) + Σ_c m_c (shift(e_c) − shift(0)) with the unit vectors e_c.
 */
export function mapsWithoutReading(
  options: ColourOptions,
  draws: readonly ArrayLike<number>[],
  means: Tensor,
): ColourMaps {
  const { device } = means;
  const mapsAt = (mean: Vector) => draws.map((draw) => colourMap(options, draw, mean));
  const atBlack = mapsAt([0, 0, 0]);
  const black = shiftsOf(atBlack, device);
  const perMean = cat(
    (
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ] as const
    ).map((unit) => shiftsOf(mapsAt(unit), device).sub(black)),
    2,
  ); // [N, 3, 3]
  return { matrices: matricesOf(atBlack, device), shifts: black.add(matmul(perMean, means.unsqueeze(2))) };
}

function matricesOf(maps: readonly ColourMap[], device: string): Tensor {
  const values = Float32Array.from(maps.flatMap(({ matrix }) => matrix.flat()));
  return tensor(values, [maps.length, 3, 3], device);
}

function shiftsOf(maps: readonly ColourMap[], device: string): Tensor {
  return tensor(Float32Array.from(maps.flatMap(({ shift }) => shift)), [maps.length, 3, 1], device);
}

/** The map of one image, whose mean colour is `mean`. */
export function colourMap(options: ColourOptions, draws: ArrayLike<number>, mean: Vector): ColourMap {
  const { factors, light, order } = colourChange(options, draws);
  let { matrix, shift }: ColourMap = {
    matrix: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    shift: [0, 0, 0],
  };
  /** v → a v + b grey(v) + c */
  const then = (a: number, b: number, c: Vector) => {
    const greys = [0, 1, 2].map((column) => dot(grey, column3(matrix, column)));
    const greyShift = dot(grey, shift);
    const row = (at: 0 | 1 | 2): Vector => [
      a * matrix[at][0] + b * greys[0]!,
      a * matrix[at][1] + b * greys[1]!,
      a * matrix[at][2] + b * greys[2]!,
    ];
    const moved = (at: 0 | 1 | 2) => a * shift[at] + b * greyShift + c[at];
    [matrix, shift] = [
      [row(0), row(1), row(2)],
      [moved(0), moved(1), moved(2)],
    ];
  };
  for (const step of order)
    switch (step) {
      case 'brightness':
        then(factors.brightness, 0, [0, 0, 0]);
        break;
      case 'contrast': {
        const now = matrix.map((row, at) => dot(row, mean) + shift[at]!);
        const level = (1 - factors.contrast) * dot(grey, [now[0]!, now[1]!, now[2]!]);
        then(factors.contrast, 0, [level, level, level]);
        break;
      }
      case 'saturation':
        then(factors.saturation, 1 - factors.saturation, [0, 0, 0]);
        break;
      case 'lighting':
        then(1, 0, light);
    }
  return { matrix, shift };
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function column3(matrix: ColourMap['matrix'], column: number): Vector {
  return [matrix[0][column]!, matrix[1][column]!, matrix[2][column]!];
}

import { cat, tensor } from '../../tensor/create.js';
import { matmul } from '../../tensor/functional.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';

export interface ColourOptions {
  /** Brightness is multiplied by a factor drawn from 1 ± this; 0 is off. */
  readonly brightness: number;
  /** Likewise for contrast: the distance from the image's mean grey. */
  readonly contrast: number;
  /** Likewise for saturation: the distance of each pixel from its own grey. */
  readonly saturation: number;
  /** Standard deviation of the shifts along the principal colours of ImageNet (Krizhevsky et al., 2012); 0 is off. */
  readonly lighting: number;
}

/** Number of uniform draws in [0, 1) per image: three factors, the order of four steps, three pairs for normal numbers. */
export const colourDraws = 3 + 3 + 6;

/** Weights of red, green and blue in grey, as in torchvision. */
const grey = [0.2989, 0.587, 0.114] as const;

/** Principal components of ImageNet's colours, for pixels in [0, 1]; the eigenvectors are the columns. */
const eigenvalues = [0.2175, 0.0188, 0.0045] as const;
const eigenvectors = [
  [-0.5675, 0.7192, 0.4009],
  [-0.5808, -0.0045, -0.814],
  [-0.5836, -0.6948, 0.4203],
] as const;

type Vector = readonly [number, number, number];

/** The map of a pixel: v → matrix v + shift. */
export interface ColourMap {
  readonly matrix: readonly [Vector, Vector, Vector];
  readonly shift: Vector;
}

/**
 * Applies brightness, contrast, saturation and lighting in a random order for each image, as fb.resnet.torch and the code
 * of the paper do, and clips to [0, 1] once at the end. Each step is an affine map v → M v + t of a pixel (contrast uses
 * the mean colour at that step), so the four steps compose to one affine map per image.
 *
 * @param x pixels in [0, 1], [N, 3, H, W]
 * @param draws `colourDraws` uniform numbers for each image
 */
export function jitterColours(
  x: Tensor,
  options: ColourOptions,
  draws: readonly ArrayLike<number>[],
): Tensor {
  const { brightness, contrast, saturation, lighting } = options;
  if (brightness === 0 && contrast === 0 && saturation === 0 && lighting === 0) return x;
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
  const factor = (range: number, draw: number) => 1 + range * (2 * draw - 1);
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
  const steps = [
    () => then(factor(options.brightness, draws[0]!), 0, [0, 0, 0]),
    () => {
      const kept = factor(options.contrast, draws[1]!);
      const now = matrix.map((row, at) => dot(row, mean) + shift[at]!);
      const level = (1 - kept) * dot(grey, [now[0]!, now[1]!, now[2]!]);
      then(kept, 0, [level, level, level]);
    },
    () => {
      const kept = factor(options.saturation, draws[2]!);
      then(kept, 1 - kept, [0, 0, 0]);
    },
    () => {
      const weight = (index: number) =>
        options.lighting * normal(draws[6 + 2 * index]!, draws[7 + 2 * index]!) * eigenvalues[index]!;
      const weights: Vector = [weight(0), weight(1), weight(2)];
      then(1, 0, [
        dot(eigenvectors[0], weights),
        dot(eigenvectors[1], weights),
        dot(eigenvectors[2], weights),
      ]);
    },
  ];
  for (let drawn = 3; steps.length > 0; drawn++) {
    const chosen = steps.length === 1 ? 0 : Math.floor(draws[drawn]! * steps.length);
    steps.splice(chosen, 1)[0]!();
  }
  return { matrix, shift };
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function column3(matrix: ColourMap['matrix'], column: number): Vector {
  return [matrix[0][column]!, matrix[1][column]!, matrix[2][column]!];
}

/** Box and Muller (1958). */
function normal(u: number, v: number): number {
  return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
}

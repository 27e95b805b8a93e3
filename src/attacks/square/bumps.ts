import { tensor, zerosLike } from '../../tensor/create.js';
import { pad } from '../../tensor/functional.js';
import { type NoiseKey, noise } from '../../tensor/noise.js';
import { operator } from '../../tensor/operator.js';
import { one, type Tensor } from '../../tensor/tensor.js';
import { haveKernel } from '../have-kernel.js';
import {
  firstPixels,
  type Points,
  SquareDraws,
  type SquareWindow,
  selectPerExample,
  windowIndices,
  windowMask,
} from './window.js';

/** What Square's bumps are in a norm. */
export interface BumpNorm {
  readonly name: 'l2' | 'l1';
  /** The height of a bump at distance r from its centre is Σ 1/k^decay, k from r + 1. */
  readonly decay: number;
  /** The norm of some numbers. */
  sizeOf(heights: readonly number[]): number;
  /** The norm over `dimensions`, which remain with size 1. */
  size(delta: Tensor, dimensions: readonly number[]): Tensor;
  /**
   * The norm that each channel of the new window gets, [n, C, 1]: from that of both windows before, `held` [n, C, 1], and the
   * channel's share of what the norm of the whole, [n, 1, 1], leaves of ε.
   */
  channelSize(of: {
    readonly held: Tensor;
    readonly whole: Tensor;
    readonly epsilon: number;
    readonly channels: number;
  }): Tensor;
  /** x + δ, brought into ball and box. */
  finish(x: Tensor, delta: Tensor, epsilon: number): Tensor;
}

/**
 * Initial perturbation: square tiles with a side of one fifth of the shorter image side, each a bump of random
 * orientation with a random sign per channel; brought into ball and box.
 */
export function bumpStart(
  norm: BumpNorm,
  x: Tensor,
  {
    epsilon,
    key,
    ids,
  }: { readonly epsilon: number; readonly key: NoiseKey; readonly ids: readonly number[] },
): Tensor {
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const side = Math.max(1, Math.floor(Math.min(height, width) / 5));
  const [down, across] = [Math.floor(height / side), Math.floor(width / side)];
  const [top, left] = [height - down * side, width - across * side].map((rest) => Math.floor(rest / 2)) as [
    number,
    number,
  ];
  const perTile = 1 + channels;
  const shape = [down * across * perTile];
  const draws = new SquareDraws(noise('uniform', { key, ids, shape, dtype: x.dtype, device: x.device }));
  let step = zerosLike(x);
  for (let tile = 0; tile < down * across; tile++) {
    const [row, column] = [top + Math.floor(tile / across) * side, left + (tile % across) * side];
    const bump = bumpOf(norm, draws.coin(tile * perTile), side, x).mul(
      draws.signs(tile * perTile + 1, channels),
    ); // [n, C, s, s]
    step = step.add(pad(bump, [column, width - column - side, row, height - row - side]));
  }
  return norm.finish(x, step, epsilon);
}

/** Number of random values used by `bumpMove`. */
export const bumpDraws = (channels: number): number => 5 + channels;

/**
 * Moves the perturbation of one window of each example to another window, with a bump of random orientation and signs.
 */
export function bumpMove(
  norm: BumpNorm,
  images: { readonly x: Tensor; readonly best: Tensor },
  { side, epsilon, draws }: { readonly side: number; readonly epsilon: number; readonly draws: SquareDraws },
): Tensor {
  const [, channels, height, width] = images.x.shape as [number, number, number, number];
  const size = { side, height, width };
  return changeWindows(norm, images, {
    to: draws.window(0, size),
    from: draws.window(2, size),
    bump: bumpOf(norm, draws.coin(4), side, images.x).mul(draws.signs(5, channels)),
    epsilon,
  });
}

interface WindowChange {
  readonly to: SquareWindow;
  readonly from: SquareWindow;
  readonly bump: Tensor; // [n, C, s, s]
  readonly epsilon: number;
}

/**
 * With δ = best − x: the window `from` is set to zero, and each channel of the window `to` becomes (bump + δ_to /
 * ‖δ_to‖), scaled to the norm's `channelSize`. The result is brought into ball and box.
 *
 * Satin's own operator computes the new δ in float32 on the CPU.
 */
export function changeWindows(norm: BumpNorm, points: Points, change: WindowChange): Tensor {
  const { x, best } = points;
  if (!haveKernel(x, best)) return composedChangeOfWindows(norm, points, change);
  const { to, from, bump, epsilon } = change;
  const handles = [x, best, firstPixels(to), firstPixels(from), bump].map((each) => each.handle);
  return norm.finish(x, one(moveOperator, ...handles, epsilon, norm.name === 'l2'), epsilon);
}

const moveOperator = operator('satin::move_bump');

/** The same of libtorch's operators. */
export function composedChangeOfWindows(
  norm: BumpNorm,
  { x, best }: Points,
  { to, from, bump, epsilon }: WindowChange,
): Tensor {
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const flattened = (images: Tensor) => images.reshape([-1, images.dimension(1), height * width]);
  const delta = flattened(best.sub(x)); // [n, C, H · W]
  const indices = windowIndices(to, width).expand([delta.dimension(0), channels, to.side ** 2]);
  const old = delta.gather(2, indices); // [n, C, s²]
  const emptied = flattened(windowMask(from, x)); // [n, 1, H · W]
  const both = emptied.maximum(flattened(windowMask(to, x)));
  const held = norm.size(delta.mul(both), [2]); // [n, C, 1]
  const whole = norm.size(delta, [1, 2]); // [n, 1, 1]
  const length = norm.channelSize({ held, whole, epsilon, channels });
  const unit = (each: Tensor) => each.div(norm.size(each, [2]).add(tiny));
  const shape = bump.reshape(old.shape).add(unit(old));
  const changed = one(
    scatter,
    delta.mul(emptied.neg().add(1)).handle,
    2,
    indices.handle,
    unit(shape).mul(length).handle,
  );
  return norm.finish(x, changed.reshape(x.shape), epsilon);
}

/** The reference's constant. */
export const tiny = 1e-12;

/** The bump, transposed for the examples where `coin` is false, [n, 1, s, s]. */
function bumpOf(norm: BumpNorm, coin: Tensor, side: number, like: Tensor): Tensor {
  const upright = tensor(Float64Array.from(bumpProfile(norm, side)), [side, side], like.device).to(
    like.dtype,
  );
  return selectPerExample(coin, upright, upright.transpose(0, 1));
}

/**
 * A positive bump in the upper half and a negative one in the lower half, row-major, of norm 1. In each half of H x W,
 * itself of norm 1, the value at Chebyshev distance r from the centre (⌊H/2⌋, ⌊W/2⌋) is Σ 1/k^decay for k = r + 1 to
 * max(⌊H/2⌋, ⌊W/2⌋) + 1, before normalisation.
 */
export function bumpProfile(norm: BumpNorm, side: number): readonly number[] {
  const upper = Math.floor(side / 2);
  const halves = [...half(norm, upper, side), ...half(norm, side - upper, side).map((height) => -height)];
  return normalised(norm, halves);
}

function half(norm: BumpNorm, rows: number, columns: number): number[] {
  const [middle, centre] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  const heights = Array.from({ length: rows * columns }, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const distance = Math.max(Math.abs(row - middle), Math.abs(column - centre));
    let height = 0;
    for (let k = distance + 1; k <= Math.max(middle, centre) + 1; k++) height += 1 / k ** norm.decay;
    return height;
  });
  return normalised(norm, heights);
}

function normalised(norm: BumpNorm, heights: readonly number[]): number[] {
  const size = norm.sizeOf(heights);
  return heights.map((height) => height / size);
}

const scatter = operator('aten::scatter', 'src');

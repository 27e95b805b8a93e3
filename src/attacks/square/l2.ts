import { tensor, zerosLike } from '../../tensor/create.js';
import { pad } from '../../tensor/functional.js';
import { type NoiseKey, noise } from '../../tensor/noise.js';
import { operator } from '../../tensor/operator.js';
import { one, type Tensor } from '../../tensor/tensor.js';
import { either, insideOf, placesOf, SquareDraws, type SquareWindow } from './window.js';

/**
 * Square tiles of a fifth of the image's shorter side, each a bump of a random direction, and for each channel of a random
 * sign; all together at distance ε.
 */
export function l2Start(
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
  const uniform = noise('uniform', { key, ids, shape: [down * across * perTile], dtype: x.dtype });
  const draws = new SquareDraws(uniform, x.device);
  let step = zerosLike(x);
  for (let tile = 0; tile < down * across; tile++) {
    const [row, column] = [top + Math.floor(tile / across) * side, left + (tile % across) * side];
    const bump = bumpOf(draws.coin(tile * perTile), side, x).mul(draws.signs(tile * perTile + 1, channels)); // [n, C, s, s]
    step = step.add(pad(bump, [column, width - column - side, row, height - row - side]));
  }
  return atDistance(x, step, epsilon);
}

/** How many random numbers `l2Move` takes. */
export const l2Draws = (channels: number): number => 5 + channels;

/** The change of one window of each example is put to another, with a bump of random direction and signs. */
export function l2Move(
  images: { readonly x: Tensor; readonly best: Tensor },
  { side, epsilon, draws }: { readonly side: number; readonly epsilon: number; readonly draws: SquareDraws },
): Tensor {
  const [, channels, height, width] = images.x.shape as [number, number, number, number];
  const size = { side, height, width };
  return changeWindows(images, {
    to: draws.window(0, size),
    from: draws.window(2, size),
    bump: bumpOf(draws.coin(4), side, images.x).mul(draws.signs(5, channels)),
    epsilon,
  });
}

/**
 * With δ = best − x: the window `from` is emptied, and the window `to` of each channel gets (bump + δ_to / ‖δ_to‖), scaled
 * to the length √((ε² − ‖δ‖²)₊ / C + ‖δ_from∪to‖²): what both windows held before, and a channel's part of what ε still
 * allows. Then the whole is brought to distance ε, and into the box. bump [n, C, s, s].
 */
export function changeWindows(
  { x, best }: { readonly x: Tensor; readonly best: Tensor },
  options: {
    readonly to: SquareWindow;
    readonly from: SquareWindow;
    readonly bump: Tensor;
    readonly epsilon: number;
  },
): Tensor {
  const { to, from, bump, epsilon } = options;
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const lines = (images: Tensor) => images.reshape([-1, images.dimension(1), height * width]);
  const delta = lines(best.sub(x)); // [n, C, H · W]
  const places = placesOf(to, width).expand([delta.dimension(0), channels, to.side ** 2]);
  const old = delta.gather(2, places); // [n, C, s²]
  const emptied = lines(insideOf(from, x)); // [n, 1, H · W]
  const both = emptied.maximum(lines(insideOf(to, x)));
  const held = delta.mul(both).l2Norm([2], true); // [n, C, 1]
  const whole = delta.l2Norm([1, 2], true); // [n, 1, 1]
  const spare = whole
    .mul(whole)
    .neg()
    .add(epsilon * epsilon)
    .clamp(0, Number.POSITIVE_INFINITY);
  const length = spare.div(channels).add(held.mul(held)).sqrt(); // [n, C, 1]
  const shape = bump.reshape(old.shape).add(unit(old));
  const changed = one(
    scatter,
    delta.mul(emptied.neg().add(1)).handle,
    2,
    places.handle,
    unit(shape).mul(length).handle,
  );
  return atDistance(x, changed.reshape(x.shape), epsilon);
}

/** x + ε δ / ‖δ‖, in the box. */
function atDistance(x: Tensor, delta: Tensor, epsilon: number): Tensor {
  const length = delta.l2Norm([1, 2, 3], true).add(tiny);
  return x.add(delta.div(length).mul(epsilon)).clamp(0, 1);
}

/** Each channel's [n, C, K] at length 1. */
function unit(channels: Tensor): Tensor {
  return channels.div(channels.l2Norm([2], true).add(tiny));
}

const tiny = 1e-12;

/** The bump as it is or transposed, by an example's coin, [n, 1, s, s]. */
function bumpOf(coin: Tensor, side: number, like: Tensor): Tensor {
  const upright = tensor(Float64Array.from(bumpProfile(side)), [side, side])
    .to(like.dtype)
    .toDevice(like.device);
  return either(coin, upright, upright.transpose(0, 1));
}

/**
 * A hill in the upper half and a hollow in the lower one, of length 1, row by row. Each half of H x W, itself of length 1,
 * has at Chebyshev distance r from its middle (⌊H/2⌋, ⌊W/2⌋) the height Σ 1/k² for k = r + 1 to max(⌊H/2⌋, ⌊W/2⌋) + 1.
 */
export function bumpProfile(side: number): readonly number[] {
  const upper = Math.floor(side / 2);
  const halves = [...half(upper, side), ...half(side - upper, side).map((height) => -height)];
  return normalised(halves);
}

function half(rows: number, columns: number): number[] {
  const [middle, centre] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  const heights = Array.from({ length: rows * columns }, (_, at) => {
    const distance = Math.max(Math.abs(Math.floor(at / columns) - middle), Math.abs((at % columns) - centre));
    let height = 0;
    for (let k = distance + 1; k <= Math.max(middle, centre) + 1; k++) height += 1 / k ** 2;
    return height;
  });
  return normalised(heights);
}

function normalised(heights: readonly number[]): number[] {
  const length = Math.hypot(...heights);
  return heights.map((height) => height / length);
}

const scatter = operator('aten::scatter', 'src');

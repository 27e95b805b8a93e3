import { noise } from '../tensor/noise.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** How much is left out in training, from 0 to below 1. */
export interface DropRates {
  /** Share of the features before the last layer (Srivastava et al., 2014). */
  readonly dropout: number;
  /** Block i of n, counted from 0, is left out with the probability stochasticDepth · i / n (Huang et al., 2016). */
  readonly stochasticDepth: number;
}

/** What is left out in one update of the weights: fixed by the step and by an example's id, whatever batch it is in. */
export interface Dropping extends DropRates {
  readonly seed: number;
  /** The pass over the data, from 1. */
  readonly epoch: number;
  readonly step: number;
  /** Ids of the examples of the batch, [N]. */
  readonly ids: ArrayLike<number>;
}

/** Features [N, F], each left out with the probability `drop.dropout`; the others grow so that the mean stays. */
export function dropout(features: Tensor, drop: Dropping | undefined): Tensor {
  if (drop === undefined || drop.dropout === 0) return features;
  return scope(() =>
    features.mul(mask(features, [features.dimension(1)], drop, { place: 0, rate: drop.dropout })),
  );
}

/** Where a block stands among all that may be left out. */
export interface BlockPlace {
  /** From 0. */
  readonly index: number;
  readonly blocks: number;
}

/** With what probability a block is left out. */
export function depthRate(drop: DropRates | undefined, { index, blocks }: BlockPlace): number {
  return ((drop?.stochasticDepth ?? 0) * index) / blocks;
}

/**
 * What a residual block adds, [N, C, H, W], left out example by example with the probability of `depthRate`; the others
 * grow so that the mean stays.
 */
export function stochasticDepth(x: Tensor, drop: Dropping | undefined, place: BlockPlace): Tensor {
  const rate = depthRate(drop, place);
  if (drop === undefined || rate === 0) return x;
  return scope(() => x.mul(mask(x, [1, 1, 1], drop, { place: place.index, rate })));
}

/** 1 / (1 − rate) where kept and 0 where not, [N, ...shape]. */
function mask(
  like: Tensor,
  shape: readonly number[],
  { seed, epoch, step, ids }: Dropping,
  { place, rate }: { readonly place: number; readonly rate: number },
): Tensor {
  const key = { seed, stream: 'dropout', epoch, step, rank: place } as const;
  const draws = noise('uniform', { key, ids, shape });
  return draws
    .greater(rate)
    .to(like.dtype)
    .mul(1 / (1 - rate))
    .toDevice(like.device);
}

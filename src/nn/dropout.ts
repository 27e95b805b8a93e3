import { noise } from '../tensor/noise.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** Drop rates in training, in [0, 1). */
export interface DropRates {
  /** Dropout rate of the features before the last layer (Srivastava et al., 2014). */
  readonly dropout: number;
  /** Block i of n, from 0, is dropped with probability stochasticDepth · i / n (Huang et al., 2016). */
  readonly stochasticDepth: number;
}

/**
 * Determines the dropout masks of one update; the mask of an example depends on the step and its id, not on its batch.
 */
export interface DropoutContext extends DropRates {
  readonly seed: number;
  /** The pass over the data, from 1. */
  readonly epoch: number;
  readonly step: number;
  /** Ids of the examples in the batch, [N]. */
  readonly ids: ArrayLike<number>;
}

/** Drops each of the features [N, F] with probability `drop.dropout` and rescales the others by 1 / (1 − rate). */
export function dropout(features: Tensor, drop: DropoutContext | undefined): Tensor {
  if (drop === undefined || drop.dropout === 0) return features;
  return scope(() =>
    features.mul(mask(features, [features.dimension(1)], drop, { index: 0, rate: drop.dropout })),
  );
}

/** Position of a block among all blocks, which determines its drop rate. */
export interface BlockPosition {
  /** Index of the block, from 0. */
  readonly index: number;
  readonly blocks: number;
}

/** Drop probability of a block: stochasticDepth · index / blocks. */
export function depthRate(drop: DropRates | undefined, { index, blocks }: BlockPosition): number {
  return ((drop?.stochasticDepth ?? 0) * index) / blocks;
}

/**
 * Drops the output of a residual branch, [N, C, H, W], per example with probability `depthRate` and rescales the others
 * by 1 / (1 − rate).
 */
export function stochasticDepth(
  x: Tensor,
  drop: DropoutContext | undefined,
  position: BlockPosition,
): Tensor {
  const rate = depthRate(drop, position);
  if (drop === undefined || rate === 0) return x;
  return scope(() => x.mul(mask(x, [1, 1, 1], drop, { index: position.index, rate })));
}

/** 1 / (1 − rate) for kept and 0 for dropped elements, [N, ...shape]. */
function mask(
  like: Tensor,
  shape: readonly number[],
  { seed, epoch, step, ids }: DropoutContext,
  { index, rate }: { readonly index: number; readonly rate: number },
): Tensor {
  const key = { seed, stream: 'dropout', epoch, step, rank: index } as const;
  const draws = noise('uniform', { key, ids, shape, device: like.device });
  return draws
    .greater(rate)
    .to(like.dtype)
    .mul(1 / (1 - rate));
}

import type { Tensor } from '../tensor/tensor.js';

/** An iterate of an attack: inside the box, and inside the ball unless `within` says otherwise. */
export interface Iterate {
  readonly x: Tensor; // [n, C, H, W], the examples still under attack
  readonly logits: Tensor; // [n, classes]
  readonly labels: Tensor; // int64 [n]
  /** Which of the points count, bool [n]. @default all */
  readonly within?: Tensor;
  /** Examples of which no later iterate is new, so that they may be dropped, bool [n]. @default none */
  readonly settled?: Tensor;
  /** Rows of these examples in the original batch, [n]. */
  readonly rows: readonly number[];
}

/**
 * Called with each iterate; returns the indices into it of the examples to keep attacking, or null for all. Attacks read
 * nothing from the device themselves, so an observer decides how often a card has to wait: where it returns null without
 * reading, the card goes on.
 */
export type Observer = (iterate: Iterate) => readonly number[] | null;

/** Called with each gradient that an attack follows, [n, C, H, W], and the rows of its examples in the original batch. */
export type GradientObserver = (gradient: Tensor, rows: readonly number[]) => void;

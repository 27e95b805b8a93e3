import { InputError } from '../errors.js';
import { Model } from '../models/model.js';
import { foreachAdd_, foreachMul_ } from '../tensor/foreach.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { bucketsOf } from './buckets.js';

export interface EmaOptions {
  /** d, from 0 (no averaging) to below 1. */
  readonly decay: number;
  /** Use min(d, (1 + t) / (10 + t)) in step t, counted from 0, so that the initial weights are forgotten quickly. */
  readonly warmup: boolean;
  /** Running statistics of batch norm: copied from the live network, or averaged like the weights. */
  readonly batchNorm: 'copy' | 'average';
}

/**
 * An exponential moving average of a network's weights, as a separate model: a ← d a + (1 − d) w after each step,
 * initialised with a copy. Used for adversarial training by Gowal et al., 2020. Integer buffers (int64) are copied.
 */
export class Ema implements Disposable {
  /** The averaged network; it is not trained itself. */
  readonly model: Model;

  /** @throws {InputError} for a decay outside [0, 1). */
  constructor(
    readonly live: Model,
    readonly options: EmaOptions,
  ) {
    const { decay } = options;
    if (!(decay >= 0 && decay < 1))
      throw InputError.expected('a number from 0 to below 1', 'ema.decay', decay);
    const [first] = live.network.parameters().values();
    const { dtype, device } = first!;
    this.model = scope(() => Model.create(live.description, { seed: null, dtype, device }));
    this.#each((average, tensor) => average.copy_(tensor));
  }

  /** Updates the average with the live weights; `step` is the number of steps done before this one. */
  update(step: number): void {
    const { decay, warmup, batchNorm } = this.options;
    const rate = warmup ? Math.min(decay, (1 + step) / (10 + step)) : decay;
    const parameters = this.live.network.parameters();
    const averaged: { readonly average: Tensor; readonly tensor: Tensor }[] = [];
    this.#each((average, tensor, name) => {
      if (parameters.has(name) || (batchNorm === 'average' && tensor.dtype.includes('float')))
        averaged.push({ average, tensor });
      else average.copy_(tensor);
    });
    const averages = averaged.map(({ average }) => average);
    const tensors = averaged.map(({ tensor }) => tensor);
    noGrad(() => {
      for (const { first, end } of bucketsOf(averages)) {
        foreachMul_(averages.slice(first, end), rate);
        foreachAdd_(averages.slice(first, end), tensors.slice(first, end), 1 - rate);
      }
    });
  }

  [Symbol.dispose](): void {
    this.model.dispose();
  }

  #each(body: (average: Tensor, tensor: Tensor, name: string) => void): void {
    const tensors = this.live.network.state();
    noGrad(() =>
      scope(() => {
        for (const [name, average] of this.model.network.state()) body(average, tensors.get(name)!, name);
      }),
    );
  }
}

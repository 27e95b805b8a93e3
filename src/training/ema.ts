import { InputError } from '../errors.js';
import { Model } from '../models/model.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

export interface EmaOptions {
  /** d, from 0 (the live weights) to below 1. */
  readonly decay: number;
  /** Takes min(d, (1 + t) / (10 + t)) in step t, from 0, so that the random first weights are soon forgotten. */
  readonly warmup: boolean;
  /** Running statistics of batch norm: the live network's, or averaged as the weights are. */
  readonly batchNorm: 'copy' | 'average';
}

/**
 * An exponential moving average of a network's weights, as a model of its own: a ← d a + (1 − d) w after each step. It
 * begins as a copy. Gowal et al., 2020, for adversarial training. What is counted (int64) is copied.
 */
export class Ema implements Disposable {
  /** The averaged network. It is never trained. */
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

  /** Takes in the live weights after a step; `step` is how many were done before it. */
  update(step: number): void {
    const { decay, warmup, batchNorm } = this.options;
    const kept = warmup ? Math.min(decay, (1 + step) / (10 + step)) : decay;
    const parameters = this.live.network.parameters();
    this.#each((average, tensor, name) => {
      const averaged = parameters.has(name) || (batchNorm === 'average' && tensor.dtype.includes('float'));
      if (averaged) average.mul_(kept).add_(tensor, 1 - kept);
      else average.copy_(tensor);
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

import { InputError } from '../../errors.js';
import { zerosLike } from '../../tensor/create.js';
import { foreachAdd_, foreachMul_ } from '../../tensor/foreach.js';
import { noGrad } from '../../tensor/gradient.js';
import { keep } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Bucket, bucketsOf } from '../buckets.js';
import { decayingOf, type WeightDecayOn } from './decay.js';
import type { Optimizer } from './optimizer.js';

export interface SgdOptions {
  readonly momentum: number;
  readonly nesterov: boolean;
  /** L2 penalty λ. */
  readonly weightDecay: number;
  /** Which parameters decay. @default 'weights' */
  readonly weightDecayOn?: WeightDecayOn;
}

/**
 * Stochastic gradient descent with momentum μ, as in PyTorch: g ← ∇ + λ w; v ← μ v + g (initially v = g);
 * w ← w − η (g + μ v) with Nesterov momentum, w − η v without.
 */
export class Sgd implements Optimizer {
  readonly #velocities = new Map<string, Tensor>();
  readonly #buckets: readonly Bucket[];

  constructor(
    readonly parameters: ReadonlyMap<string, Tensor>,
    readonly options: SgdOptions,
  ) {
    this.#buckets = bucketsOf([...parameters.values()]);
  }

  step(gradients: readonly Tensor[], learningRate: number): void {
    const { momentum, nesterov, weightDecay, weightDecayOn = 'weights' } = this.options;
    const all = [...this.parameters];
    const isFirst = this.#velocities.size === 0;
    noGrad(() => {
      for (const { first, end } of this.#buckets) {
        const named = all.slice(first, end);
        const parameters = named.map(([, parameter]) => parameter);
        const bucket = gradients.slice(first, end);
        if (weightDecay !== 0) {
          const { decaying, theirGradients } = decayingOf(parameters, bucket, weightDecayOn);
          foreachAdd_(theirGradients, decaying, weightDecay);
        }
        if (momentum === 0) {
          foreachAdd_(parameters, bucket, -learningRate);
          continue;
        }
        if (isFirst) {
          for (const [at, [name]] of named.entries()) this.#velocities.set(name, keep(bucket[at]!.clone()));
        }
        const velocities = named.map(([name]) => this.#velocities.get(name)!);
        if (!isFirst) {
          foreachMul_(velocities, momentum);
          foreachAdd_(velocities, bucket);
        }
        if (nesterov) foreachAdd_(bucket, velocities, momentum);
        foreachAdd_(parameters, nesterov ? bucket : velocities, -learningRate);
      }
    });
  }

  /** The velocity of each parameter, by name; empty before the first step, and without momentum. */
  state(): ReadonlyMap<string, Tensor> {
    return this.#velocities;
  }

  restore(state: ReadonlyMap<string, Tensor>): void {
    // Look up everything before replacing anything, so that an error leaves the state unchanged.
    const found = [...(state.size === 0 ? [] : this.parameters)].map(([name, parameter]) => {
      const saved = state.get(name);
      if (saved === undefined)
        throw InputError.expected(`a velocity for ${name}`, 'the optimiser', 'a state without it');
      return { name, parameter, saved };
    });
    this[Symbol.dispose]();
    for (const { name, parameter, saved } of found)
      this.#velocities.set(name, keep(noGrad(() => zerosLike(parameter).copy_(saved))));
  }

  [Symbol.dispose](): void {
    for (const velocity of this.#velocities.values()) velocity.dispose();
    this.#velocities.clear();
  }
}

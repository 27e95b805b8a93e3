import { InputError } from '../../errors.js';
import { integers, zerosLike } from '../../tensor/create.js';
import {
  foreachAdd_,
  foreachAddNumber_,
  foreachDiv,
  foreachMul_,
  foreachSqrt,
} from '../../tensor/foreach.js';
import { noGrad } from '../../tensor/gradient.js';
import { keep, scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Bucket, bucketsOf } from '../buckets.js';
import { decayingOf, type WeightDecayOn } from './decay.js';
import type { Optimizer } from './optimizer.js';

export interface AdamOptions {
  /** Decay rate of the mean of the gradients, in [0, 1). */
  readonly beta1: number;
  /** Decay rate of the mean of the squared gradients, in [0, 1). */
  readonly beta2: number;
  /** Added to the denominator. */
  readonly epsilon: number;
  /** Weight decay λ. */
  readonly weightDecay: number;
  /** Which parameters decay. @default 'weights' */
  readonly weightDecayOn?: WeightDecayOn;
  /** Decoupled weight decay (AdamW); otherwise an L2 penalty (Adam). */
  readonly decoupled: boolean;
}

/** Running means of a parameter's gradient and squared gradient. */
interface Moments {
  readonly mean: Tensor;
  readonly square: Tensor;
}

/**
 * Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019), as in PyTorch. Adam: g ← ∇ + λ w. AdamW:
 * w ← w − η λ w. Then m ← β₁ m + (1 − β₁) g; s ← β₂ s + (1 − β₂) g²; after t steps
 * w ← w − η / (1 − β₁ᵗ) · m / (√s / √(1 − β₂ᵗ) + ε).
 */
export class Adam implements Optimizer {
  readonly #moments = new Map<string, Moments>();
  readonly #buckets: readonly Bucket[];
  #steps = 0;

  constructor(
    readonly parameters: ReadonlyMap<string, Tensor>,
    readonly options: AdamOptions,
  ) {
    this.#buckets = bucketsOf([...parameters.values()]);
  }

  step(gradients: readonly Tensor[], learningRate: number): void {
    const { beta1, beta2, epsilon, weightDecay, weightDecayOn = 'weights', decoupled } = this.options;
    this.#steps++;
    const stepSize = learningRate / (1 - beta1 ** this.#steps);
    const correction = 1 / Math.sqrt(1 - beta2 ** this.#steps);
    const all = [...this.parameters];
    noGrad(() => {
      for (const { first, end } of this.#buckets)
        scope(() => {
          const named = all.slice(first, end);
          const parameters = named.map(([, parameter]) => parameter);
          const bucket = gradients.slice(first, end);
          if (weightDecay !== 0) {
            const { decaying, theirGradients } = decayingOf(parameters, bucket, weightDecayOn);
            if (decoupled) foreachMul_(decaying, 1 - learningRate * weightDecay);
            else foreachAdd_(theirGradients, decaying, weightDecay);
          }
          const moments = named.map(([name, parameter]) => this.#momentsOf(name, parameter));
          const means = moments.map(({ mean }) => mean);
          const squares = moments.map(({ square }) => square);
          foreachMul_(means, beta1);
          foreachAdd_(means, bucket, 1 - beta1);
          foreachMul_(bucket, bucket);
          foreachMul_(squares, beta2);
          foreachAdd_(squares, bucket, 1 - beta2);
          const sizes = foreachSqrt(squares);
          foreachMul_(sizes, correction);
          foreachAddNumber_(sizes, epsilon);
          foreachAdd_(parameters, foreachDiv(means, sizes), -stepSize);
        });
    });
  }

  /** `NAME.mean` and `NAME.square` of each parameter, and `step`, the number of steps done. */
  state(): ReadonlyMap<string, Tensor> {
    const state = new Map<string, Tensor>();
    if (this.#steps > 0) state.set('step', integers([this.#steps]));
    for (const [name, { mean, square }] of this.#moments)
      state.set(`${name}.mean`, mean).set(`${name}.square`, square);
    return state;
  }

  restore(state: ReadonlyMap<string, Tensor>): void {
    const find = (name: string): Tensor => {
      const tensor = state.get(name);
      if (tensor === undefined)
        throw InputError.expected(`${name} of Adam`, 'the optimiser', 'a state without it');
      return tensor;
    };
    // Look up everything before replacing anything, so that an error leaves the state unchanged.
    const steps = state.size === 0 ? 0 : find('step').item();
    const found = [...(state.size === 0 ? [] : this.parameters.keys())].map(
      (name) => [name, find(`${name}.mean`), find(`${name}.square`)] as const,
    );
    this[Symbol.dispose]();
    this.#steps = steps;
    noGrad(() => {
      for (const [name, mean, square] of found) {
        const moments = this.#momentsOf(name, this.parameters.get(name)!);
        moments.mean.copy_(mean);
        moments.square.copy_(square);
      }
    });
  }

  [Symbol.dispose](): void {
    for (const { mean, square } of this.#moments.values()) {
      mean.dispose();
      square.dispose();
    }
    this.#moments.clear();
    this.#steps = 0;
  }

  /** The moments of a parameter, initialised with zeros. */
  #momentsOf(name: string, parameter: Tensor): Moments {
    const existing = this.#moments.get(name);
    if (existing !== undefined) return existing;
    const initial = { mean: keep(zerosLike(parameter)), square: keep(zerosLike(parameter)) };
    this.#moments.set(name, initial);
    return initial;
  }
}

import { InputError } from '../../errors.js';
import { integers, zerosLike } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { keep, scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { decays, type WeightDecayOn } from './decay.js';
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
  #steps = 0;

  constructor(
    readonly parameters: ReadonlyMap<string, Tensor>,
    readonly options: AdamOptions,
  ) {}

  step(gradients: readonly Tensor[], learningRate: number): void {
    const { beta1, beta2, epsilon, weightDecay, weightDecayOn = 'weights', decoupled } = this.options;
    this.#steps++;
    const stepSize = learningRate / (1 - beta1 ** this.#steps);
    const correction = 1 / Math.sqrt(1 - beta2 ** this.#steps);
    let index = 0;
    noGrad(() => {
      for (const [name, parameter] of this.parameters)
        scope(() => {
          const gradient = gradients[index++]!;
          if (weightDecay !== 0 && decays(parameter, weightDecayOn)) {
            if (decoupled) parameter.mul_(1 - learningRate * weightDecay);
            else gradient.add_(parameter, weightDecay);
          }
          const { mean, square } = this.#momentsOf(name, parameter);
          mean.mul_(beta1).add_(gradient, 1 - beta1);
          square.mul_(beta2).add_(gradient.mul_(gradient), 1 - beta2);
          const size = square.sqrt().mul_(correction).addNumber_(epsilon);
          parameter.add_(mean.div(size), -stepSize);
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

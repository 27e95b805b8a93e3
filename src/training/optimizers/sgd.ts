import { InputError } from '../../errors.js';
import { zerosLike } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { keep, scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { decays, type WeightDecayOn } from './decay.js';
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

  constructor(
    readonly parameters: ReadonlyMap<string, Tensor>,
    readonly options: SgdOptions,
  ) {}

  step(gradients: readonly Tensor[], learningRate: number): void {
    const { momentum, nesterov, weightDecay, weightDecayOn = 'weights' } = this.options;
    let index = 0;
    noGrad(() =>
      scope(() => {
        for (const [name, parameter] of this.parameters) {
          const gradient = gradients[index++]!;
          if (weightDecay !== 0 && decays(parameter, weightDecayOn)) gradient.add_(parameter, weightDecay);
          if (momentum === 0) {
            parameter.add_(gradient, -learningRate);
            continue;
          }
          let velocity = this.#velocities.get(name);
          if (velocity === undefined) {
            velocity = keep(gradient.clone());
            this.#velocities.set(name, velocity);
          } else {
            velocity.mul_(momentum).add_(gradient);
          }
          if (nesterov) parameter.add_(gradient.add_(velocity, momentum), -learningRate);
          else parameter.add_(velocity, -learningRate);
        }
      }),
    );
  }

  /** The velocity of each parameter, by name; empty before the first step, and without momentum. */
  state(): ReadonlyMap<string, Tensor> {
    return this.#velocities;
  }

  restore(state: ReadonlyMap<string, Tensor>): void {
    if (state.size === 0) this[Symbol.dispose]();
    for (const [name, parameter] of this.parameters) {
      const saved = state.get(name);
      if (saved === undefined) {
        if (state.size > 0)
          throw InputError.expected(`a velocity for ${name}`, 'the optimiser', 'a state without it');
        continue;
      }
      const velocity = keep(noGrad(() => zerosLike(parameter).copy_(saved)));
      this.#velocities.get(name)?.dispose();
      this.#velocities.set(name, velocity);
    }
  }

  [Symbol.dispose](): void {
    for (const velocity of this.#velocities.values()) velocity.dispose();
    this.#velocities.clear();
  }
}

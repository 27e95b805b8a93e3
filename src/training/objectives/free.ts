import type { Norm } from '../../attacks/norms.js';
import { type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import { InputError } from '../../errors.js';
import { zerosLike } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { keep, scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { weightedCrossEntropy } from './class-weights.js';
import { accuracyOf, meansOver, type Objective } from './objective.js';
import { warmupFactor } from './training-attack.js';
import { passAt, type UpdatePass } from './update-pass-options.js';

export interface FreeOptions {
  /** Only L∞ is supported. */
  readonly norm: Norm;
  readonly epsilon: number;
  /** Step size of the noise, per pixel. */
  readonly stepSize: number;
  /** Consecutive steps on each batch, m. */
  readonly replays: number;
  readonly labelSmoothing: number;
  /** Forward pass of the update. */
  readonly pass: UpdatePass;
  /** Epochs over which ε and the step size increase to their full values. */
  readonly epsilonWarmup: number;
  /** The ranks over which gradients are averaged; each keeps the noise of its part. @default a single process */
  readonly group?: ProcessGroup;
}

/**
 * Free adversarial training (Shafahi et al., 2019): one forward and backward pass yields the gradients of both the
 * weights and the noise, δ ← clip(δ + stepSize · sign(∇_δ loss(clip(x + δ, 0, 1))), −ε, ε). The noise starts at 0 and
 * carries over to the next batch by position in the batch, not by image. Each accumulation part has its own noise.
 *
 * @throws {InputError} for a norm other than L∞, or an invalid number of replays.
 */
export function free(options: FreeOptions): Objective {
  const { norm, replays, labelSmoothing, group = singleProcess } = options;
  if (norm.name !== 'linf')
    throw InputError.expected(
      'linf',
      'the norm of free',
      norm.name,
      'Use another objective for other norms.',
    );
  if (!Number.isInteger(replays) || replays < 1)
    throw InputError.expected('a whole number of at least 1', 'the replays of free', replays);
  const noises = new Map<string, Tensor>();

  const noiseOf = (name: string, x: Tensor): Tensor => {
    const current = noises.get(name);
    if (current === undefined) {
      const initial = keep(zerosLike(x));
      noises.set(name, initial);
      return initial;
    }
    if (current.shape.join() !== x.shape.join())
      throw InputError.expected(
        `batches of the shape of the noise, [${current.shape.join(',')}],`,
        'free',
        x.shape,
        'A run must keep the batch size it started with.',
      );
    return current.moveTo_(x.device);
  };
  const clear = () => {
    for (const noise of noises.values()) noise.dispose();
    noises.clear();
  };

  return {
    replays,
    takeWarnings: () => [],
    computeGradients: (model, batch, context) =>
      scope(() => {
        const { x, labels } = batch;
        const factor = warmupFactor(context, options.epsilonWarmup);
        const epsilon = options.epsilon * factor;
        const current = noiseOf(context.part === 0 ? 'noise' : `noise.${context.part}`, x);
        const noise = current.detach().requireGrad_();
        // Where the clamp is active, the noise has no gradient and does not change, as in the authors' code.
        const logits = model.forward(x.add(noise).clamp(0, 1), passAt(options.pass, batch, context)); // [N, classes]
        const loss = weightedCrossEntropy(logits, labels, { labelSmoothing, weights: context.classWeights });
        const found = group.gradients(loss, [...model.network.parameters().values()], [noise]);
        // libtorch's sign of NaN is 0, so a NaN gradient does not change the noise.
        noGrad(() => {
          const moved = current.add(found.others[0]!.sign().mul(options.stepSize * factor));
          current.copy_(moved.clamp(-epsilon, epsilon));
        });
        return { ...meansOver(group, loss, accuracyOf(logits, labels)), gradients: found.parameters };
      }),
    state: () => noises,
    restore(state) {
      clear();
      for (const [name, noise] of state) {
        if (!/^noise(\.\d+)?$/.test(name)) throw InputError.expected('noise', 'the state of free', name);
        noises.set(name, keep(noise.detach().clone()));
      }
    },
    [Symbol.dispose]: clear,
  };
}

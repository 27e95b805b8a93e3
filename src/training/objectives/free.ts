import type { Norm } from '../../attacks/norms.js';
import { type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import { InputError } from '../../errors.js';
import { crossEntropy } from '../../nn/losses.js';
import { zerosLike } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { keep, scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { accuracyOf, meansOver, type Objective } from './objective.js';
import { warmedUp } from './training-attack.js';
import { passAt, type UpdatePass } from './update-pass.js';

export interface FreeOptions {
  /** L∞; the method is made for no other. */
  readonly norm: Norm;
  readonly epsilon: number;
  /** How far each pixel of the noise moves in a step. */
  readonly stepSize: number;
  /** Steps in a row on each batch, m. */
  readonly replays: number;
  readonly labelSmoothing: number;
  /** How the network is run. */
  readonly pass: UpdatePass;
  /** Epochs over which ε rises to its full size, and the step with it. */
  readonly epsilonWarmup: number;
  /** With whom it learns; each keeps the noise of its own part of the batch. @default alone */
  readonly ranks?: ProcessGroup;
}

/**
 * Free adversarial training (Shafahi et al., 2019): one pass forward and back gives the gradient of the weights and that
 * of the noise, δ ← clip(δ + stepSize · sign(∇_δ loss(clip(x + δ, 0, 1))), −ε, ε). The noise starts at 0 and goes on from
 * batch to batch, by the place in the batch and not by the image. Parts of a batch have their own.
 *
 * @throws {InputError} for another norm than L∞, or replays that are no count.
 */
export function free(options: FreeOptions): Objective {
  const { norm, replays, labelSmoothing, ranks = singleProcess } = options;
  if (norm.name !== 'linf')
    throw InputError.expected('linf', 'the norm of free', norm.name, 'Another objective serves other norms.');
  if (!Number.isInteger(replays) || replays < 1)
    throw InputError.expected('a whole number of at least 1', 'the replays of free', replays);
  const noises = new Map<string, Tensor>();

  const noiseOf = (name: string, x: Tensor): Tensor => {
    const held = noises.get(name);
    if (held === undefined) {
      const fresh = keep(zerosLike(x));
      noises.set(name, fresh);
      return fresh;
    }
    if (held.shape.join() !== x.shape.join())
      throw InputError.expected(
        `batches of the shape of the noise, [${held.shape.join(',')}],`,
        'free',
        x.shape,
        'A run goes on with the batch size it began with.',
      );
    return held.moveTo_(x.device);
  };
  const forget = () => {
    for (const noise of noises.values()) noise.dispose();
    noises.clear();
  };

  return {
    replays,
    computeGradients: (model, batch, place) =>
      scope(() => {
        const { x, labels } = batch;
        const growth = warmedUp(place, options.epsilonWarmup);
        const epsilon = options.epsilon * growth;
        const held = noiseOf(place.part === 0 ? 'noise' : `noise.${place.part}`, x);
        const noise = held.detach().requireGrad_();
        // Where the box cuts, the noise has no gradient and stays, as in the authors' code.
        const logits = model.forward(x.add(noise).clamp(0, 1), passAt(options.pass, batch, place)); // [N, classes]
        const loss = crossEntropy(logits, labels, { labelSmoothing });
        const found = ranks.gradients(loss, [...model.network.parameters().values()], [noise]);
        // NaN has the sign 0 in libtorch: a gradient that is none moves nothing.
        noGrad(() => {
          const moved = held.add(found.others[0]!.sign().mul(options.stepSize * growth));
          held.copy_(moved.clamp(-epsilon, epsilon));
        });
        return { ...meansOver(ranks, loss, accuracyOf(logits, labels)), gradients: found.parameters };
      }),
    state: () => noises,
    restore(state) {
      forget();
      for (const [name, noise] of state) {
        if (!/^noise(\.\d+)?$/.test(name)) throw InputError.expected('noise', 'the state of free', name);
        noises.set(name, keep(noise.detach().clone()));
      }
    },
    [Symbol.dispose]: forget,
  };
}

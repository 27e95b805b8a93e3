import { type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import { InputError } from '../../errors.js';
import type { Pass } from '../../nn/module.js';
import { scope } from '../../tensor/scope.js';
import { type AwpOptions, perturbWeights } from './awp.js';
import { type GradAlignOptions, misalignment } from './grad-align.js';
import {
  adversarialCrossEntropy,
  gradientsOf,
  type Objective,
  stateless,
  type TrainingLoss,
  update,
} from './objective.js';
import { perturb, type TrainingAttack, warmedUp } from './training-attack.js';
import { passAt, type UpdatePass } from './update-pass.js';

export interface AdversarialOptions {
  readonly attack: TrainingAttack;
  /** @default cross-entropy on the adversarial images, without label smoothing */
  readonly loss?: TrainingLoss;
  /** How the update runs the network. @default { train: true } */
  readonly pass?: UpdatePass;
  /** Takes the loss at weights that were moved up it. */
  readonly awp?: AwpOptions;
  /** Adds the misalignment of the images' gradients to the loss; L∞ alone. */
  readonly gradAlign?: GradAlignOptions;
  /** With whom it learns. Attacks are this rank's own. @default alone */
  readonly ranks?: ProcessGroup;
}

/**
 * Makes adversarial images of a batch, then takes the loss of them: PGD, Fast, SAT, TRADES and MART. Adversarial weight
 * perturbation climbs the loss without GradAlign's penalty; the penalty is taken at the moved weights. With AWP,
 * `Learned.restore` must be called before the next step is learned.
 *
 * @throws {InputError} for GradAlign in another norm than L∞.
 */
export function adversarial(options: AdversarialOptions): Objective {
  const { attack, loss = adversarialCrossEntropy(0), awp, gradAlign, ranks = singleProcess } = options;
  if (gradAlign !== undefined && attack.norm.name !== 'linf')
    throw InputError.expected('linf', 'the norm of GradAlign', attack.norm.name, 'Leave GradAlign out.');
  return stateless((model, batch, place) =>
    scope(() => {
      const { x, labels } = batch;
      const pass = passAt(options.pass ?? update, batch, place);
      const examples = { x, adversarial: perturb(model, batch, attack, place), labels };
      const valueAt = (chosen: Pass) => loss(model, examples, chosen);
      const compute = () => {
        const value = valueAt(pass);
        if (gradAlign === undefined) return value;
        const { weight, detach = true } = gradAlign;
        const epsilon = attack.epsilon * warmedUp(place, attack.epsilonWarmup);
        const penalty = misalignment(model, batch, { epsilon, detach, place, pass });
        return { ...value, loss: value.loss.add(penalty.mul(weight)) };
      };
      if (awp === undefined || place.step < awp.warmup * place.stepsPerEpoch)
        return gradientsOf(model, { labels, ranks, compute });
      const restore = perturbWeights(model, {
        loss: () => valueAt({ ...pass, keepStatistics: true }).loss,
        gamma: awp.gamma,
        ranks,
      });
      try {
        return { ...gradientsOf(model, { labels, ranks, compute }), restore };
      } catch (error) {
        restore();
        throw error;
      }
    }),
  );
}

import { type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import { InputError } from '../../errors.js';
import type { Pass } from '../../nn/module.js';
import { scope } from '../../tensor/scope.js';
import { type AwpOptions, perturbWeights } from './awp.js';
import { type GradAlignOptions, misalignmentPenalty } from './grad-align.js';
import {
  adversarialCrossEntropy,
  gradientsOf,
  type Objective,
  stateless,
  type TrainingLoss,
  trainingPass,
} from './objective.js';
import { RecordedAttack, type Recorder } from './recorded-attack.js';
import { sizesAt, type TrainingAttack, unclippedStart } from './training-attack.js';
import { passAt, type UpdatePass } from './update-pass-options.js';

export interface AdversarialOptions {
  readonly attack: TrainingAttack;
  /** @default cross-entropy of the adversarial images, without label smoothing */
  readonly loss?: TrainingLoss;
  /** Forward pass of the update. @default { train: true } */
  readonly pass?: UpdatePass;
  /** Adversarial weight perturbation. */
  readonly awp?: AwpOptions;
  /** Adds the GradAlign penalty to the loss; L∞ only. */
  readonly gradAlign?: GradAlignOptions;
  /** The ranks over which gradients are averaged; each attacks its own images. @default a single process */
  readonly group?: ProcessGroup;
  /** Records the attack, to replay it in later steps. @default CUDA graphs, on a card */
  readonly recorder?: Recorder;
}

/**
 * Computes adversarial images of a batch and the loss on them: PGD, Fast, SAT, TRADES and MART. Adversarial weight
 * perturbation maximises the loss without the GradAlign penalty, which is computed at the perturbed weights and has no
 * class weights. With AWP,
 * `GradientResult.restore` must be called before the next step.
 *
 * @throws {InputError} for GradAlign in a norm other than L∞.
 */
export function adversarial(options: AdversarialOptions): Objective {
  const { attack, loss = adversarialCrossEntropy(0), awp, gradAlign, group = singleProcess } = options;
  if (gradAlign !== undefined && attack.norm.name !== 'linf')
    throw InputError.expected('linf', 'the norm of GradAlign', attack.norm.name, 'Omit GradAlign.');
  const attacker = new RecordedAttack(attack, options.recorder);
  const objective = stateless((model, batch, context) =>
    scope(() => {
      const { x, labels } = batch;
      const pass = passAt(options.pass ?? trainingPass, batch, context);
      const weights = context.classWeights;
      const examples = { x, adversarial: attacker.perturb(model, batch, context), labels, weights };
      const valueAt = (chosen: Pass) => loss(model, examples, chosen);
      const compute = () => {
        const value = valueAt(pass);
        if (gradAlign === undefined) return value;
        const { weight, detach = true, at: where = 'image' } = gradAlign;
        const sizes = sizesAt(attack, context);
        const at =
          where === 'start'
            ? unclippedStart(batch, { ...attack, ...sizes }, context)
            : { points: x, clip: false };
        const { epsilon } = sizes;
        const penalty = misalignmentPenalty(model, batch, { at, epsilon, detach, context, pass });
        return { ...value, loss: value.loss.add(penalty.mul(weight)) };
      };
      if (awp === undefined || context.step < awp.warmup * context.stepsPerEpoch)
        return gradientsOf(model, { labels, group, compute });
      const restore = perturbWeights(model, {
        loss: () => valueAt({ ...pass, keepStatistics: true }).loss,
        gamma: awp.gamma,
        group,
      });
      try {
        return { ...gradientsOf(model, { labels, group, compute }), restore };
      } catch (error) {
        restore();
        throw error;
      }
    }),
  );
  return {
    ...objective,
    takeWarnings: () => attacker.takeWarnings(),
    [Symbol.dispose]: () => attacker[Symbol.dispose](),
  };
}

import type { Activation } from '../../activations/activation.js';
import type { Norm } from '../../attacks/norms.js';
import { pgd } from '../../attacks/pgd.js';
import type { Batch } from '../../data/dataset-tensors.js';
import type { Model } from '../../models/model.js';
import type { Classifier } from '../../nn/classifier.js';
import { klDivergence } from '../../nn/losses.js';
import { logSoftmax } from '../../tensor/functional.js';
import { noGrad } from '../../tensor/gradient.js';
import { noise } from '../../tensor/noise.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { StepContext } from './objective.js';

/** Where the attack begins. */
export type Start =
  /** At the image. */
  | { readonly kind: 'image' }
  /** At a point drawn uniformly from ball and box. */
  | { readonly kind: 'uniform' }
  /**
   * The paper's: one draw for the whole batch decides between the image, with probability `clean`, and a uniform point of
   * the ball, which is brought into the box before the first gradient only with `clip` (paper's code: 0.2, not clipped).
   */
  | { readonly kind: 'sat'; readonly clean: number; readonly clip: boolean }
  /** Near the image: N(0, deviation²) for each pixel (TRADES: 0.001). */
  | { readonly kind: 'normal'; readonly deviation: number };

/** The attack that makes training images. */
export interface TrainingAttack {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly steps: number;
  readonly stepSize: number;
  readonly start: Start;
  /** Batch norm inside the attack: the running statistics, or the batch's (which leave the running ones alone). */
  readonly batchNorm: 'eval' | 'train';
  /** What it climbs: the cross-entropy, or TRADES' divergence KL(p(x) ‖ p(x′)) from the clean prediction. @default 'ce' */
  readonly loss?: 'ce' | 'kl';
  /** Takes this activation's derivative in place of the network's own. */
  readonly derivative?: Activation | undefined;
  /** Epochs over which ε rises to its full size, and the step with it. @default 0 */
  readonly epsilonWarmup?: number;
  /** Epochs over which the step alone rises to its full size. @default 0 */
  readonly stepWarmup?: number;
}

/** Adversarial versions of a batch's images for a network as it stands now, [N, C, H, W]. */
export function perturb(model: Model, batch: Batch, attack: TrainingAttack, place: StepContext): Tensor {
  const { norm, steps, derivative } = attack;
  const growth = warmedUp(place, attack.epsilonWarmup);
  const epsilon = attack.epsilon * growth;
  const stepSize = attack.stepSize * growth * warmedUp(place, attack.stepWarmup);
  const { x, labels } = batch;
  const run = (classify: Classifier) =>
    scope(() => {
      const start = startOf(batch, { ...attack, epsilon }, place);
      const loss = attack.loss === 'kl' ? divergenceFrom(classify, x) : undefined;
      return pgd(classify, { x, labels, start }, { norm, epsilon, steps, stepSize, ...(loss && { loss }) });
    });
  if (attack.batchNorm === 'train') {
    const pass = { train: true, keepStatistics: true, ...(derivative && { derivative }) };
    return run((images) => model.network.frozen(() => model.forward(images, pass)));
  }
  using folded = model.fold(derivative && { derivative });
  return run(folded.classify);
}

function startOf({ x, ids }: Batch, attack: TrainingAttack, place: StepContext): Tensor {
  const { norm, epsilon, start } = attack;
  const key = { seed: place.seed, stream: 'trainingAttack', epoch: place.epoch } as const;
  switch (start.kind) {
    case 'image':
      return x;
    case 'uniform':
      return norm.randomStart(x, { epsilon, key, ids });
    case 'sat':
      return drawsCleanStart(start.clean, place)
        ? x
        : norm.randomStart(x, { epsilon, key, ids, clip: start.clip });
    case 'normal': {
      const draw = noise('normal', { key, ids, shape: x.shape.slice(1), dtype: x.dtype }).toDevice(x.device);
      return x.add(draw.mul(start.deviation));
    }
  }
}

/** One draw for all images of a batch, or of the part of it that is learned from at once. */
export function drawsCleanStart(probability: number, { seed, step, part }: StepContext): boolean {
  return scope(
    () =>
      noise('uniform', {
        key: { seed, stream: 'cleanStart', step },
        ids: [part],
        shape: [1],
        dtype: 'float64',
      }).item() < probability,
  );
}

/** KL(p(x) ‖ p(·)) summed over the batch; the clean prediction is computed once. */
function divergenceFrom(classify: Classifier, x: Tensor): (logits: Tensor) => Tensor {
  const clean = noGrad(() => logSoftmax(classify(x)));
  return (logits) => klDivergence(clean, logSoftmax(logits), { reduction: 'sum' });
}

/** How far a warm-up of so many epochs has come at a step, in (0, 1]: it begins at one step's share, not at 0. */
export function warmedUp(place: StepContext, epochs = 0): number {
  return Math.min(1, (place.step + 1) / Math.max(1, epochs * place.stepsPerEpoch));
}

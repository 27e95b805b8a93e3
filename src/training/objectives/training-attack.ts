import type { Activation } from '../../activations/activation.js';
import type { Norm } from '../../attacks/norms.js';
import { type PgdInputs, pgd } from '../../attacks/pgd.js';
import type { Batch } from '../../data/dataset-tensors.js';
import type { Model } from '../../models/model.js';
import type { Classifier } from '../../nn/classifier.js';
import { klDivergence } from '../../nn/losses.js';
import { tensor, where } from '../../tensor/create.js';
import { logSoftmax } from '../../tensor/functional.js';
import { noGrad } from '../../tensor/gradient.js';
import { noise } from '../../tensor/noise.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { StepContext } from './objective.js';

/** The first iterate of the attack. */
export type Start =
  /** The clean image. */
  | { readonly kind: 'image' }
  /** A uniform random point in ball and box. */
  | { readonly kind: 'uniform' }
  /**
   * As in the paper: one draw per batch selects the image, with probability `clean`, or a uniform random point of the
   * ball, which is clipped to the box before the first gradient only with `clip` (paper's code: 0.2, not clipped). With
   * `group`, one draw for each group of that many images of the whole batch, however it is split over ranks and parts.
   */
  | { readonly kind: 'sat'; readonly clean: number; readonly clip: boolean; readonly group?: number }
  /** The image plus Gaussian noise N(0, deviation²) per pixel (TRADES: 0.001). */
  | { readonly kind: 'normal'; readonly deviation: number };

/** The attack that generates training images. */
export interface TrainingAttack {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly steps: number;
  readonly stepSize: number;
  readonly start: Start;
  /** Batch norm during the attack: running statistics, or batch statistics (without updating the running ones). */
  readonly batchNorm: 'eval' | 'train';
  /** With `train`: images of a group with statistics of its own. @default the batch */
  readonly ghost?: number | undefined;
  /** The loss to maximise: cross-entropy, or TRADES' KL(p(x) ‖ p(x′)) from the clean prediction. @default 'ce' */
  readonly loss?: 'ce' | 'kl';
  /** Surrogate derivative: replaces that of the network's own activation in the backward pass. */
  readonly derivative?: Activation | undefined;
  /** The dtype in which the network computes. @default float32 */
  readonly computeDtype?: 'bfloat16' | undefined;
  /** Epochs over which ε and the step size increase to their full values. @default 0 */
  readonly epsilonWarmup?: number;
  /** Epochs over which the step size alone increases to its full value. @default 0 */
  readonly stepWarmup?: number;
}

/** ε and step size at one step of a run, with their warm-ups. */
export interface AttackSizes {
  readonly epsilon: number;
  readonly stepSize: number;
}

/** Adversarial images of a batch for the current network, [N, C, H, W]. */
export function perturb(model: Model, batch: Batch, attack: TrainingAttack, context: StepContext): Tensor {
  const sizes = sizesAt(attack, context);
  return scope(() => {
    const { x, labels } = batch;
    const start = startOf(batch, { ...attack, ...sizes }, context);
    return attackFrom(model, { x, labels, start }, attack, sizes);
  });
}

export function sizesAt(attack: TrainingAttack, context: StepContext): AttackSizes {
  const factor = warmupFactor(context, attack.epsilonWarmup);
  return {
    epsilon: attack.epsilon * factor,
    stepSize: attack.stepSize * factor * warmupFactor(context, attack.stepWarmup),
  };
}

/**
 * The adversarial images from their first iterate on, [N, C, H, W]. On a card it neither reads nor uploads a number, and
 * keeps nothing derived from the weights: it may be recorded and replayed after they have changed.
 */
export function attackFrom(
  model: Model,
  images: PgdInputs,
  attack: TrainingAttack,
  sizes: AttackSizes,
): Tensor {
  const { norm, steps, derivative, computeDtype } = attack;
  const seen = { ...(derivative && { derivative }), ...(computeDtype && { computeDtype }) };
  const run = (classify: Classifier) =>
    scope(() => {
      const loss = attack.loss === 'kl' ? divergenceFrom(classify, images.x) : undefined;
      return pgd(classify, images, { norm, steps, ...sizes, ...(loss && { loss }) });
    });
  if (attack.batchNorm === 'train') {
    const pass = { train: true, keepStatistics: true, ghost: attack.ghost, ...seen };
    return run((points) => model.network.frozen(() => model.forward(points, pass)));
  }
  using folded = model.fold(seen);
  return run(folded.classify);
}

/** The first iterate of a batch, [N, C, H, W]; the image itself or a new tensor. */
export function startOf({ x, ids }: Batch, attack: TrainingAttack, context: StepContext): Tensor {
  const { norm, epsilon, start } = attack;
  const key = { seed: context.seed, stream: 'trainingAttack', epoch: context.epoch } as const;
  switch (start.kind) {
    case 'image':
      return x;
    case 'uniform':
      return norm.randomStart(x, { epsilon, key, ids });
    case 'sat':
      return mixed(startsClean(start, ids.length, context), x, () =>
        norm.randomStart(x, { epsilon, key, ids, clip: start.clip }),
      );
    case 'normal': {
      const { shape, dtype, device } = x;
      const draw = noise('normal', { key, ids, shape: shape.slice(1), dtype, device });
      return x.add(draw.mul(start.deviation));
    }
  }
}

/** First iterates before they are clipped to the box, and whether they are. */
export interface UnclippedStart {
  readonly points: Tensor; // [N, C, H, W]
  readonly clip: boolean;
}

/** The first iterate of a batch as `startOf`, but unclipped; in L∞. */
export function unclippedStart(batch: Batch, attack: TrainingAttack, context: StepContext): UnclippedStart {
  const { start } = attack;
  if (start.kind === 'image' || start.kind === 'normal')
    return { points: startOf(batch, attack, context), clip: false };
  const loose =
    start.kind === 'uniform' ? ({ kind: 'sat', clean: 0, clip: false } as const) : { ...start, clip: false };
  const points = startOf(batch, { ...attack, start: loose }, context);
  return { points, clip: start.kind === 'uniform' || start.clip };
}

/**
 * Which images of a batch start clean: one draw for all of them, and each accumulation part; or one for each group of
 * images, by the group's number in the step's whole batch.
 */
export function startsClean(
  { clean, group }: Pick<Start & { readonly kind: 'sat' }, 'clean' | 'group'>,
  count: number,
  { seed, step, part, first }: StepContext,
): boolean[] {
  const drawOf = Array.from({ length: count }, (_, image) =>
    group === undefined ? part : Math.floor((first + image) / group),
  );
  const ids = [...new Set(drawOf)];
  return scope(() => {
    const key = { seed, stream: 'cleanStart', step } as const;
    const draws = noise('uniform', { key, ids, shape: [1], dtype: 'float64' }).numbers();
    const isClean = new Map(ids.map((id, at) => [id, draws[at]! < clean]));
    return drawOf.map((id) => isClean.get(id)!);
  });
}

/** `x` where an image starts clean, elsewhere the random points, which are computed only if one is needed. */
function mixed(isClean: readonly boolean[], x: Tensor, random: () => Tensor): Tensor {
  if (isClean.every(Boolean)) return x;
  if (!isClean.includes(true)) return random();
  const shape = [isClean.length, ...x.shape.slice(1).map(() => 1)];
  const mask = tensor(Float32Array.from(isClean, Number), shape, x.device).greater(0); // bool
  return where(mask, x, random());
}

/** KL(p(x) ‖ p(·)) summed over the batch; the clean prediction is computed once. */
function divergenceFrom(classify: Classifier, x: Tensor): (logits: Tensor) => Tensor {
  const clean = noGrad(() => logSoftmax(classify(x)));
  return (logits) => klDivergence(clean, logSoftmax(logits), { reduction: 'sum' });
}

/** Linear warm-up factor over the given number of epochs, in (0, 1]: the first step already has a nonzero factor. */
export function warmupFactor(context: Pick<StepContext, 'step' | 'stepsPerEpoch'>, epochs = 0): number {
  return Math.min(1, (context.step + 1) / Math.max(1, epochs * context.stepsPerEpoch));
}

import type { Classifier } from '../nn/classifier.js';
import { ones, where, zeros, zerosLike } from '../tensor/create.js';
import { gradient, noGrad, withGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { AttackGenerator } from './attack-generator.js';
import type { AttackLoss } from './losses.js';
import type { Norm } from './norms.js';
import type { Observer } from './pgd.js';
import { RemainingExamples } from './remaining-examples.js';

/** Where an APGD run begins. */
export interface ApgdImages {
  readonly x: Tensor; // [N, C, H, W]
  readonly labels: Tensor; // int64 [N]
  /** In the ball and in the box. */
  readonly start: Tensor;
  /** Classes to reach, int64 [N]; only targeted losses look at them. */
  readonly targets?: Tensor;
}

/** How long which loss is climbed, under which threat model. */
export interface ApgdOptions {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly steps: number;
  readonly loss: AttackLoss;
  /** Passes whose gradients are averaged, for classifiers that answer at random. @default 1 */
  readonly eot?: number;
  /** Shown the examples' state after every checkpoint. */
  readonly trace?: (checkpoint: ApgdCheckpoint) => void;
}

/** Where the examples that are still attacked stand after a checkpoint. */
export interface ApgdCheckpoint {
  /** Steps done. */
  readonly step: number;
  readonly stepSize: Tensor; // [n, 1, 1, 1]
  readonly bestLoss: Tensor; // [n]
  /** Which examples went back to their best point, bool [n]. */
  readonly restarted: Tensor;
}

/** The share of the old direction is 1 − momentum. */
const momentum = 0.75;
/** A window in which the loss rose in no more than this share of the steps halves the step. */
const rho = 0.75;

/**
 * Auto-PGD (Croce and Hein, 2020): projected gradient ascent with momentum, which begins with steps of 2ε, and at
 * checkpoints that come closer and closer halves an example's step and goes back to its best point, where
 *
 *  1. the loss rose in at most 75 % of the steps since the last checkpoint, or
 *  2. the step was not halved at the last checkpoint and the best loss has not grown since.
 *
 * x⁺ = project(x + α direction(∇)), x_next = project(x + 0.75 (x⁺ − x) + 0.25 (x − x_previous)); the first step has no
 * momentum. Only the image's gradient is computed, and none at the last iterate, whose gradient nobody needs. As in the
 * reference the loss of the first iterate counts as a rise where it is positive, and condition 2 cannot hold at the
 * first checkpoint.
 *
 * With `eot` above 1 the gradient is the mean over so many passes (expectation over transformation, Athalye et al., 2018).
 * As in the reference the loss, and the logits that the observer sees, are those of the last pass alone.
 *
 * Every iterate, the start too, is shown to the observer; the examples it is done with leave at once.
 */
export function* apgd(
  classifier: Classifier,
  images: ApgdImages,
  options: ApgdOptions,
  observe: Observer,
): AttackGenerator<void> {
  const { norm, epsilon, steps, loss, eot = 1, trace } = options;
  const { x: origin, labels, start: x, targets = labels } = images;
  const perExample = () => zeros([x.dimension(0)], x.dtype).toDevice(x.device);
  using set = new RemainingExamples(() => ({
    origin,
    labels,
    targets,
    x,
    previous: x, // the iterate before
    gradient: zerosLike(x),
    best: x,
    bestGradient: zerosLike(x),
    bestLoss: perExample(),
    checkedLoss: perExample(), // the best loss at the last checkpoint
    lastLoss: perExample(), // of the iterate before; 0 at the beginning, as in the reference
    rises: perExample(), // since the last checkpoint
    halved: ones([x.dimension(0)], 'bool').toDevice(x.device), // at the last checkpoint
    stepSize: perExample()
      .add(2 * epsilon)
      .reshape([-1, 1, 1, 1]),
  }));

  let backwards = 0; // images passed backward in the step that is taken

  /** The loss at a point, and its gradient where there is a next step; null where the observer is done with all. */
  const lookAt = (
    at: Tensor,
    of: { readonly labels: Tensor; readonly targets: Tensor },
    last: boolean,
    rows: readonly number[],
  ) => {
    const point = at.detach();
    if (!last) point.requireGrad_();
    const slopeOf = (each: Tensor) => {
      backwards += rows.length;
      return gradient(each.sum(), point);
    };
    const eachOf = (logits: Tensor) => loss(logits, of.labels, of.targets); // [n]
    let sum: Tensor | null = null; // of the gradients of all passes but the last one
    for (let pass = 1; pass < eot && !last; pass++)
      sum = scope(() => {
        const slope = slopeOf(withGrad(() => eachOf(classifier(point))));
        return sum === null ? slope : sum.add_(slope);
      });
    const logits = (last ? noGrad : withGrad)(() => classifier(point));
    const stay = observe({ x: point, logits, rows });
    if (stay?.length === 0) return null;
    const each = (last ? noGrad : withGrad)(() => eachOf(logits));
    const slope = last ? zerosLike(point) : slopeOf(each);
    return { stay, value: each.detach(), gradient: sum === null ? slope : sum.add_(slope).div(eot) };
  };

  set.step((now, rows) => {
    const found = lookAt(now.x, now, steps === 0, rows);
    if (found === null) return { next: {}, stay: [] };
    const { value, gradient: slope, stay } = found;
    return {
      next: { gradient: slope, bestGradient: slope, bestLoss: value, checkedLoss: value },
      stay,
    };
  });
  yield { backwards };

  const checkpoints = checkpointsOf(steps);
  let checked = 0;
  for (let step = 1; step <= steps && set.rows.length > 0; step++) {
    backwards = 0;
    set.step((now, rows) => {
      const share = step === 1 ? 1 : momentum;
      const climbed = norm.project(
        now.x.add(norm.direction(now.gradient).mul(now.stepSize)),
        now.origin,
        epsilon,
      );
      const moved = norm.project(
        now.x.add(climbed.sub(now.x).mul(share)).add(now.x.sub(now.previous).mul(1 - share)),
        now.origin,
        epsilon,
      );
      const found = lookAt(moved, now, step === steps, rows);
      if (found === null) return { next: {}, stay: [] };
      const { value, gradient: slope, stay } = found;

      const better = value.greater(now.bestLoss); // [n]
      const next = {
        x: moved,
        previous: now.x,
        gradient: slope,
        best: where(wide(better), moved, now.best),
        bestGradient: where(wide(better), slope, now.bestGradient),
        bestLoss: where(better, value, now.bestLoss),
        lastLoss: value,
        rises: now.rises.add(value.greater(now.lastLoss).to(value.dtype)),
      };
      if (!checkpoints.has(step)) return { next, stay };

      const oscillates = next.rises.greater(rho * (step - checked)).not();
      const stands = next.bestLoss.greater(now.checkedLoss).not().mul(now.halved.not());
      const halved = oscillates.maximum(stands); // bool: either
      const stepSize = where(wide(halved), now.stepSize.mul(0.5), now.stepSize);
      trace?.({ step, stepSize, bestLoss: next.bestLoss, restarted: halved });
      return {
        next: {
          ...next,
          x: where(wide(halved), next.best, moved),
          gradient: where(wide(halved), next.bestGradient, slope),
          checkedLoss: next.bestLoss,
          rises: zerosLike(next.rises),
          halved,
          stepSize,
        },
        stay,
      };
    });
    if (checkpoints.has(step)) checked = step;
    yield { backwards };
  }
}

/** After which of `steps` steps the step size is looked at: first 22 % of them, then ever fewer, 6 % at the least. */
export function checkpointsOf(steps: number): ReadonlySet<number> {
  const share = (fraction: number) => Math.max(1, Math.trunc(fraction * steps));
  const checkpoints = new Set<number>();
  let window = share(0.22);
  for (let at = window; at <= steps; at += window) {
    checkpoints.add(at);
    window = Math.max(window - share(0.03), share(0.06));
  }
  return checkpoints;
}

/** [n] → [n, 1, 1, 1] */
function wide(each: Tensor): Tensor {
  return each.reshape([-1, 1, 1, 1]);
}

import type { Classifier } from '../nn/classifier.js';
import { ones, where, zeros, zerosLike } from '../tensor/create.js';
import { gradient, noGrad, withGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { AttackGenerator } from './attack-generator.js';
import type { AttackLoss } from './losses.js';
import type { Norm } from './norms.js';
import type { GradientObserver, Observer } from './observer.js';
import { RemainingExamples } from './remaining-examples.js';

/** Inputs of APGD. */
export interface ApgdInputs {
  readonly x: Tensor; // [N, C, H, W]
  readonly labels: Tensor; // int64 [N]
  /** First iterate, inside the ball and the box. */
  readonly start: Tensor;
  /** Target classes, int64 [N]; used by targeted losses only. */
  readonly targets?: Tensor;
}

/** Settings of APGD. */
export interface ApgdOptions {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly steps: number;
  readonly loss: AttackLoss;
  /** Gradients averaged per step (EOT), for randomized classifiers. @default 1 */
  readonly eot?: number;
  /** Called after every checkpoint. */
  readonly trace?: (checkpoint: ApgdCheckpoint) => void;
  /** Called with the gradient of every step. */
  readonly onGradient?: GradientObserver | undefined;
}

/** The state of the examples still under attack after a checkpoint. */
export interface ApgdCheckpoint {
  /** Steps taken so far. */
  readonly step: number;
  readonly stepSize: Tensor; // [n, 1, 1, 1]
  readonly bestLoss: Tensor; // [n]
  /** Which examples restarted from their best point, bool [n]. */
  readonly restarted: Tensor;
}

/** Weight of the new direction; the previous one has weight 1 − momentum. */
const momentum = 0.75;
/** The step size is halved if the loss rose in no more than this fraction of the steps since the last checkpoint. */
const rho = 0.75;

/**
 * Auto-PGD (Croce and Hein, 2020): projected gradient ascent with momentum and an initial step size of 2ε. At
 * checkpoints of decreasing spacing it halves an example's step size and restarts from its best point, where
 *
 *  1. the loss rose in at most 75 % of the steps since the last checkpoint, or
 *  2. the step size was not halved at the last checkpoint and the best loss has not increased since.
 *
 * x⁺ = project(x + α direction(∇)), x_next = project(x + 0.75 (x⁺ − x) + 0.25 (x − x_previous)); the first step has no
 * momentum. Only the gradient with respect to the input is computed, and none at the last iterate. As in the reference
 * the loss of the first iterate counts as a rise where it is positive, and condition 2 cannot hold at the first
 * checkpoint.
 *
 * With `eot` above 1 the gradient is the mean over that many passes (expectation over transformation, Athalye et al.,
 * 2018). As in the reference the loss and the logits passed to the observer are those of the last pass alone.
 *
 * Every iterate, including the start, is passed to the observer; the examples it drops leave the batch at once.
 */
export function* apgd(
  classifier: Classifier,
  images: ApgdInputs,
  options: ApgdOptions,
  observe: Observer,
): AttackGenerator<void> {
  const { norm, epsilon, steps, loss, eot = 1, trace, onGradient } = options;
  const { x: origin, labels, start: x, targets = labels } = images;
  const perExample = () => zeros([x.dimension(0)], x.dtype, x.device);
  using set = new RemainingExamples(() => ({
    origin,
    labels,
    targets,
    x,
    previous: x, // previous iterate
    gradient: zerosLike(x),
    best: x,
    bestGradient: zerosLike(x),
    bestLoss: perExample(),
    checkedLoss: perExample(), // best loss at the last checkpoint
    lastLoss: perExample(), // of the previous iterate; initially 0, as in the reference
    rises: perExample(), // since the last checkpoint
    halved: ones([x.dimension(0)], 'bool', x.device), // at the last checkpoint
    stepSize: perExample()
      .add(2 * epsilon)
      .reshape([-1, 1, 1, 1]),
  }));

  let backwards = 0; // images passed backward in the current step

  /** Loss and, unless `isLast`, gradient at a point; null if the observer drops every example. */
  const evaluateAt = (
    candidate: Tensor,
    state: { readonly labels: Tensor; readonly targets: Tensor },
    isLast: boolean,
    rows: readonly number[],
  ) => {
    const point = candidate.detach();
    if (!isLast) point.requireGrad_();
    const gradOf = (losses: Tensor) => {
      backwards += rows.length;
      return gradient(losses.sum(), point);
    };
    const lossOf = (logits: Tensor) => loss(logits, state.labels, state.targets); // [n]
    let sum: Tensor | null = null; // gradients of all passes but the last
    for (let pass = 1; pass < eot && !isLast; pass++)
      sum = scope(() => {
        const grad = gradOf(withGrad(() => lossOf(classifier(point))));
        return sum === null ? grad : sum.add_(grad);
      });
    const logits = (isLast ? noGrad : withGrad)(() => classifier(point));
    const active = observe({ x: point, logits, labels: state.labels, rows });
    if (active?.length === 0) return null;
    const losses = (isLast ? noGrad : withGrad)(() => lossOf(logits));
    const grad = isLast ? zerosLike(point) : gradOf(losses);
    const mean = sum === null ? grad : sum.add_(grad).div(eot);
    if (!isLast) onGradient?.(mean, rows);
    return { active, value: losses.detach(), gradient: mean };
  };

  set.step((state, rows) => {
    const evaluated = evaluateAt(state.x, state, steps === 0, rows);
    if (evaluated === null) return { next: {}, active: [] };
    const { value, gradient: grad, active } = evaluated;
    const lowest = zerosLike(value).sub(Number.POSITIVE_INFINITY);
    const known = where(value.eq(value), value, lowest); // any number is better than NaN
    return {
      next: { gradient: grad, bestGradient: grad, bestLoss: known, checkedLoss: known },
      active,
    };
  });
  yield { backwards };

  const checkpoints = checkpointsOf(steps);
  let checked = 0;
  for (let step = 1; step <= steps && set.rows.length > 0; step++) {
    backwards = 0;
    set.step((state, rows) => {
      const share = step === 1 ? 1 : momentum;
      const stepped = norm.project(
        state.x.add(norm.direction(state.gradient).mul(state.stepSize)),
        state.origin,
        epsilon,
      );
      const moved = norm.project(
        state.x.add(stepped.sub(state.x).mul(share)).add(state.x.sub(state.previous).mul(1 - share)),
        state.origin,
        epsilon,
      );
      const evaluated = evaluateAt(moved, state, step === steps, rows);
      if (evaluated === null) return { next: {}, active: [] };
      const { value, gradient: grad, active } = evaluated;

      const better = value.greater(state.bestLoss); // [n]
      const next = {
        x: moved,
        previous: state.x,
        gradient: grad,
        best: where(perImage(better), moved, state.best),
        bestGradient: where(perImage(better), grad, state.bestGradient),
        bestLoss: where(better, value, state.bestLoss),
        lastLoss: value,
        rises: state.rises.add(value.greater(state.lastLoss).to(value.dtype)),
      };
      if (!checkpoints.has(step)) return { next, active };

      const oscillates = next.rises.greater(rho * (step - checked)).not();
      const stagnates = next.bestLoss.greater(state.checkedLoss).not().mul(state.halved.not());
      const halved = oscillates.maximum(stagnates); // bool: or
      const stepSize = where(perImage(halved), state.stepSize.mul(0.5), state.stepSize);
      trace?.({ step, stepSize, bestLoss: next.bestLoss, restarted: halved });
      return {
        next: {
          ...next,
          x: where(perImage(halved), next.best, moved),
          gradient: where(perImage(halved), next.bestGradient, grad),
          checkedLoss: next.bestLoss,
          rises: zerosLike(next.rises),
          halved,
          stepSize,
        },
        active,
      };
    });
    if (checkpoints.has(step)) checked = step;
    yield { backwards };
  }
}

/** The steps after which the step size is checked: first after 22 % of `steps`, then at intervals shrinking to 6 %. */
export function checkpointsOf(steps: number): ReadonlySet<number> {
  const share = (fraction: number) => Math.max(1, Math.trunc(fraction * steps));
  const checkpoints = new Set<number>();
  let window = share(0.22);
  for (let step = window; step <= steps; step += window) {
    checkpoints.add(step);
    window = Math.max(window - share(0.03), share(0.06));
  }
  return checkpoints;
}

/** [n] → [n, 1, 1, 1] */
function perImage(values: Tensor): Tensor {
  return values.reshape([-1, 1, 1, 1]);
}

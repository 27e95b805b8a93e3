import type { Classifier } from '../nn/classifier.js';
import { where, zeros, zerosLike } from '../tensor/create.js';
import { gradient, noGrad, withGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { AttackGenerator } from './attack-generator.js';
import { chooseImages } from './choose-images.js';
import type { AttackLoss } from './losses.js';
import { momentumStep } from './momentum-step.js';
import type { Norm } from './norm.js';
import type { GradientObserver, Observer } from './observer.js';
import { RemainingExamples } from './remaining-examples.js';
import type { RuleState } from './step-rule.js';

/** Inputs of APGD. */
export interface ApgdInputs {
  readonly x: Tensor; // [N, C, H, W]
  readonly labels: Tensor; // int64 [N]
  /** First iterate, inside the ball and the box. */
  readonly start: Tensor;
  /** The start was found by an earlier run, and is not random. @default false */
  readonly isFound?: boolean;
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

/**
 * Auto-PGD (Croce and Hein, 2020): projected gradient ascent that adapts its step size. At checkpoints the norm's rule
 * (`stepRule`) changes the step size of each example, and may let it restart from the point of the highest loss so far.
 *
 * x⁺ = project(x + α direction(∇)), x_next = project(x + m (x⁺ − x) + (1 − m) (x − x_previous)), with the rule's momentum m;
 * the first step has no momentum. Only the gradient with respect to the input is computed, and none at the last iterate.
 *
 * With `eot` above 1 the gradient is the mean over that many passes (expectation over transformation, Athalye et al.,
 * 2018). As in the reference the loss and the logits passed to the observer are those of the last pass alone.
 *
 * Every iterate, including the start, is passed to the observer; the examples it drops leave the batch at once.
 *
 * @returns the points of the highest loss, of the examples that were not dropped.
 */
export function* apgd(
  classifier: Classifier,
  images: ApgdInputs,
  options: ApgdOptions,
  observe?: Observer,
): AttackGenerator<Tensor> {
  const { norm, epsilon, steps, loss, eot = 1, trace, onGradient } = options;
  const { stepRule: rule } = norm;
  const { x: origin, labels, start: x, targets = labels, isFound = false } = images;
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
    stepSize: perExample()
      .add(rule.firstStep * epsilon)
      .reshape([-1, 1, 1, 1]),
    rule: {} as RuleState,
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
    const active = observe?.({ x: point, logits, labels: state.labels, rows }) ?? null;
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
      next: {
        gradient: grad,
        bestGradient: grad,
        bestLoss: known,
        rule: rule.begin({ x: state.x, origin: state.origin, loss: known, isFound }),
      },
      active,
    };
  });
  yield { backwards };

  const checkpoints = rule.checkpoints(steps);
  let checked = 0;
  for (let step = 1; step <= steps && set.rows.length > 0; step++) {
    backwards = 0;
    set.step((state, rows) => {
      const share = step === 1 ? 1 : rule.momentum;
      const withoutMomentum = () => {
        const direction = rule.direction(state.gradient, state.rule);
        return norm.project(state.x.add(direction.mul(state.stepSize)), state.origin, epsilon);
      };
      const moved = rule.momentum === 1 ? withoutMomentum() : momentumStep(norm, state, { epsilon, share });
      const evaluated = evaluateAt(moved, state, step === steps, rows);
      if (evaluated === null) return { next: {}, active: [] };
      const { value, gradient: grad, active } = evaluated;

      const better = value.greater(state.bestLoss); // [n]
      const next = {
        x: moved,
        previous: state.x,
        gradient: grad,
        best: chooseImages(better, moved, state.best),
        bestGradient: chooseImages(better, grad, state.bestGradient),
        bestLoss: where(better, value, state.bestLoss),
        rule: rule.stepped(state.rule, value),
      };
      if (!checkpoints.has(step)) return { next, active };

      const after = rule.check({
        state: next.rule,
        origin: state.origin,
        best: next.best,
        bestLoss: next.bestLoss,
        stepSize: state.stepSize,
        epsilon,
        steps: step - checked,
      });
      const { stepSize, restarted } = after;
      trace?.({ step, stepSize, bestLoss: next.bestLoss, restarted });
      return {
        next: {
          ...next,
          x: chooseImages(restarted, next.best, moved),
          gradient: chooseImages(restarted, next.bestGradient, grad),
          rule: after.state,
          stepSize,
        },
        active,
      };
    });
    if (checkpoints.has(step)) checked = step;
    yield { backwards };
  }
  return set.parts.best.clone();
}

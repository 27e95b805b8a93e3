import type { Classifier } from '../nn/classifier.js';
import { crossEntropy } from '../nn/losses.js';
import { where } from '../tensor/create.js';
import { gradient, noGrad, withGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { handleOf } from '../tensor/tensor.js';
import { requireArgument, requireOptional } from '../user-input/require-argument.js';
import { type AttackGenerator, runToEnd } from './attack-generator.js';
import { CycleDetector } from './cycle-detector.js';
import type { Norm } from './norm.js';
import type { GradientObserver, Observer } from './observer.js';
import { RemainingExamples } from './remaining-examples.js';

/** Settings of projected gradient ascent. */
export interface PgdOptions {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly steps: number;
  /** Step size, in the norm. */
  readonly stepSize: number;
  /** The loss to maximise, summed over the examples. @default cross-entropy */
  readonly loss?: (logits: Tensor, labels: Tensor) => Tensor;
  /** Only the last iterate counts, and the observer sees no other; with `cycles` those `within` are it. @default false */
  readonly lastOnly?: boolean;
  /**
   * Looks for iterates that repeat, and tells the observer which examples are `settled`: whoever drops them loses nothing if
   * the classifier gives equal numbers for equal images. @default false
   */
  readonly cycles?: boolean;
  /** Called with the gradient of every step. */
  readonly onGradient?: GradientObserver | undefined;
}

/** Inputs of PGD; `start` is the first iterate. */
export interface PgdInputs {
  readonly x: Tensor; // [N, C, H, W]
  readonly labels: Tensor; // int64 [N]
  readonly start: Tensor;
}

/**
 * Projected gradient ascent, used for FGSM and PGD (Madry et al., 2018):
 * x ← project(x + stepSize · direction(∇ₓ loss)), from `start`. Only the gradient with respect to the input is
 * computed. With an observer, every iterate is passed to it and the examples it drops leave the batch at once; without
 * one, or if only the last iterate counts, nobody looks at the others.
 *
 * @returns the last iterate of the examples that were not dropped.
 */
export function pgd(
  classifier: Classifier,
  images: PgdInputs,
  options: PgdOptions,
  observe?: Observer,
): Tensor {
  requireArgument(classifier, 'function', 'the classifier of pgd');
  requireArgument(images, 'inputs', 'the images of pgd');
  for (const name of ['x', 'labels', 'start'] as const) handleOf(images[name], `${name} of pgd`);
  requireArgument(options, 'options', 'pgd');
  requireArgument(options.norm, 'norm', 'the norm of pgd');
  for (const name of ['epsilon', 'stepSize'] as const)
    requireArgument(options[name], 'number', `${name} of pgd`);
  requireArgument(options.steps, 'whole', 'steps of pgd');
  requireOptional(observe, 'function', 'observe of pgd');
  return runToEnd(pgdSteps(classifier, images, options, observe));
}

/** `pgd` as a generator that yields after each step. */
export function* pgdSteps(
  classifier: Classifier,
  images: PgdInputs,
  options: PgdOptions,
  observe?: Observer,
): AttackGenerator<Tensor> {
  const { norm, epsilon, steps, stepSize, loss: objective = crossEntropySum, onGradient } = options;
  const { lastOnly = false, cycles = false } = options;
  using detector = cycles ? new CycleDetector(images.start, steps) : null;
  using set = new RemainingExamples(() => ({ origin: images.x, labels: images.labels, x: images.start }));

  for (let step = 0; step < steps && set.rows.length > 0; step++) {
    let backwards = 0;
    set.step(({ origin, labels, x }, rows) => {
      const point = x.detach().requireGrad_();
      const logits = withGrad(() => classifier(point));
      detector?.add(x, step);
      const isLast = detector?.end.greater(step).not(); // bool [n]: x is the iterate of the last step
      const settled = lastOnly ? isLast : detector?.end.isFinite();
      const shown = {
        x: point,
        logits,
        labels,
        rows,
        ...(settled !== undefined && { settled }),
        ...(lastOnly && isLast !== undefined && { within: isLast }),
      };
      const active = (lastOnly && !cycles ? undefined : observe)?.(shown) ?? null;
      detector?.keep(active);
      if (active?.length === 0) return { next: {}, active };
      const grad = gradient(
        withGrad(() => objective(logits, labels)),
        point,
      );
      backwards = rows.length;
      onGradient?.(grad, rows);
      const moved = noGrad(() => norm.project(x.add(norm.direction(grad).mul(stepSize)), origin, epsilon));
      const next = isLast === undefined ? moved : where(isLast.reshape([-1, 1, 1, 1]), x, moved);
      return { next: { x: next }, active };
    });
    yield { backwards };
  }

  const last = set.parts.x.detach();
  if (observe !== undefined && set.rows.length > 0)
    scope(() => {
      const { labels } = set.parts;
      observe({ x: last, logits: noGrad(() => classifier(last)), labels, rows: set.rows });
    });
  return last;
}

function crossEntropySum(logits: Tensor, labels: Tensor): Tensor {
  return crossEntropy(logits, labels, { reduction: 'sum' });
}

import type { Classifier } from '../nn/classifier.js';
import { crossEntropy } from '../nn/losses.js';
import { gradient, noGrad, withGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { type AttackGenerator, runToEnd } from './attack-generator.js';
import type { Norm } from './norms.js';
import { RemainingExamples } from './remaining-examples.js';

/** How far a loss is climbed, under which threat model. */
export interface PgdOptions {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly steps: number;
  /** Length of a step, in the norm. */
  readonly stepSize: number;
  /** What is climbed, summed over the examples. @default the cross-entropy */
  readonly loss?: (logits: Tensor, labels: Tensor) => Tensor;
}

/** Where a descent begins. */
export interface PgdImages {
  readonly x: Tensor; // [N, C, H, W]
  readonly labels: Tensor; // int64 [N]
  readonly start: Tensor;
}

/** Images that an attack tries, in the ball and in the box. */
export interface Iterate {
  readonly x: Tensor; // [n, C, H, W], the examples that are still attacked
  readonly logits: Tensor; // [n, classes]
  /** Which of the examples given at the start these are, [n]. */
  readonly rows: readonly number[];
}

/** Looks at an iterate and answers which of its examples (places in it) shall be attacked further; null for all. */
export type Observer = (iterate: Iterate) => readonly number[] | null;

/**
 * Projected gradient ascent on a loss, the one loop behind FGSM and PGD (Madry et al., 2018):
 * x ← project(x + stepSize · direction(∇ₓ loss)), from `start`. Only the image's gradient is computed. With an
 * observer every iterate is shown to it and the examples it is done with leave the batch at once; without one, the
 * last iterate costs no forward pass.
 *
 * @returns the last iterate of the examples that were attacked to the end.
 */
export function pgd(
  classifier: Classifier,
  images: PgdImages,
  options: PgdOptions,
  observe?: Observer,
): Tensor {
  return runToEnd(pgdSteps(classifier, images, options, observe));
}

/** `pgd`, step by step. */
export function* pgdSteps(
  classifier: Classifier,
  images: PgdImages,
  options: PgdOptions,
  observe?: Observer,
): AttackGenerator<Tensor> {
  const { norm, epsilon, steps, stepSize, loss: climbed = crossEntropySum } = options;
  using set = new RemainingExamples(() => ({ origin: images.x, labels: images.labels, x: images.start }));

  for (let step = 0; step < steps && set.rows.length > 0; step++) {
    let backwards = 0;
    set.step(({ origin, labels, x }, rows) => {
      const point = x.detach().requireGrad_();
      const logits = withGrad(() => classifier(point));
      const stay = observe?.({ x: point, logits, rows }) ?? null;
      if (stay?.length === 0) return { next: {}, stay };
      const slope = gradient(
        withGrad(() => climbed(logits, labels)),
        point,
      );
      backwards = rows.length;
      const moved = noGrad(() => norm.project(x.add(norm.direction(slope).mul(stepSize)), origin, epsilon));
      return { next: { x: moved }, stay };
    });
    yield { backwards };
  }

  const last = set.parts.x.detach();
  if (observe !== undefined && set.rows.length > 0)
    scope(() => {
      observe({ x: last, logits: noGrad(() => classifier(last)), rows: set.rows });
    });
  return last;
}

function crossEntropySum(logits: Tensor, labels: Tensor): Tensor {
  return crossEntropy(logits, labels, { reduction: 'sum' });
}

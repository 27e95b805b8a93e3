import { crossEntropy } from '../losses.js';
import type { Classifier } from '../nn/classifier.js';
import { integers } from '../tensor/create.js';
import { gradient, noGrad, withGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Norm } from './norms.js';

/** How far a loss is climbed, under which threat model. */
export interface DescentOptions {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly steps: number;
  /** Length of a step, in the norm. */
  readonly stepSize: number;
  /** What is climbed, summed over the examples. @default the cross-entropy */
  readonly loss?: (logits: Tensor, labels: Tensor) => Tensor;
}

/** What happened at one iterate, the start and the last one too. */
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
export function descend(
  classifier: Classifier,
  images: { readonly x: Tensor; readonly labels: Tensor; readonly start: Tensor },
  options: DescentOptions,
  observe?: Observer,
): Tensor {
  const { norm, epsilon, steps, stepSize, loss: climbed = crossEntropySum } = options;
  let { x: origin, labels, start: x } = images;
  let rows: readonly number[] = Array.from({ length: x.dimension(0) }, (_, row) => row);

  for (let step = 0; step < steps && rows.length > 0; step++) {
    const next = scope(() => {
      const point = x.detach().requireGrad_();
      const logits = withGrad(() => classifier(point));
      const left = observe?.({ x: point, logits, rows }) ?? null;
      if (left !== null && left.length === 0) return null;
      const loss = withGrad(() => climbed(logits, labels));
      const slope = gradient(loss, point);
      const climb = (from: Tensor, along: Tensor, around: Tensor) =>
        norm.project(from.add(norm.direction(along).mul(stepSize)), around, epsilon);
      if (left === null)
        return { x: noGrad(() => climb(x, slope, origin)), origin: null, labels: null, left };
      const places = integers(left).toDevice(x.device);
      const pick = (tensor: Tensor) => tensor.indexSelect(0, places);
      const near = pick(origin);
      return { x: noGrad(() => climb(pick(x), pick(slope), near)), origin: near, labels: pick(labels), left };
    });
    if (next === null) return x.narrow(0, 0, 0);
    if (next.left !== null) {
      rows = next.left.map((place) => rows[place]!);
      origin = next.origin ?? origin;
      labels = next.labels ?? labels;
    }
    if (step > 0) x.dispose();
    x = next.x;
  }

  if (observe !== undefined && rows.length > 0)
    scope(() => {
      observe({ x, logits: noGrad(() => classifier(x)), rows });
    });
  return x;
}

function crossEntropySum(logits: Tensor, labels: Tensor): Tensor {
  return crossEntropy(logits, labels, { reduction: 'sum' });
}

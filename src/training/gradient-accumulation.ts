import type { Batch } from '../data/dataset-tensors.js';
import type { Model } from '../models/model.js';
import { foreachAdd_, foreachMul_ } from '../tensor/foreach.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { GradientResult, Objective, StepContext } from './objectives/objective.js';

export interface AccumulateOptions {
  /** Number of equal parts. */
  readonly parts: number;
  /** Creates one part; it is freed after its gradients are computed. */
  readonly batchOf: (part: number) => Batch;
  /** `first`: place of the first part's first image. */
  readonly context: Omit<StepContext, 'part'>;
  /** Whether the loss of each part is read, to stop after the first that is not finite. */
  readonly stopsEarly: boolean;
}

type Sums = Omit<GradientResult, 'restore'>;

/**
 * Gradient accumulation: processes a batch in parts sequentially, in the memory of one part, and returns the mean
 * gradients, loss and accuracy. Batch statistics are computed per part. If the objective perturbs the weights, they are
 * restored after each part.
 */
export function accumulateGradients(
  objective: Objective,
  model: Model,
  options: AccumulateOptions,
): GradientResult {
  const { parts, batchOf, context, stopsEarly } = options;
  if (parts === 1) return objective.computeGradients(model, batchOf(0), { ...context, part: 0 });

  let sums: Sums | null = null;
  for (let part = 0; part < parts; part++) {
    const before: Sums | null = sums;
    if (before !== null && stopsEarly && !Number.isFinite(before.loss.item())) break;
    sums = scope((): Sums => {
      const batch = batchOf(part);
      const first = context.first + part * batch.ids.length;
      const { restore, ...found } = objective.computeGradients(model, batch, { ...context, part, first });
      restore?.();
      if (before === null) return found;
      noGrad(() => {
        before.loss.add_(found.loss);
        before.accuracy.add_(found.accuracy);
        foreachAdd_(before.gradients, found.gradients);
      });
      return before;
    });
  }
  const { gradients, loss, accuracy } = sums!;
  noGrad(() => foreachMul_(gradients, 1 / parts));
  return { gradients, loss: loss.div(parts), accuracy: accuracy.div(parts) };
}

import type { Batch } from '../data/dataset-tensors.js';
import type { Model } from '../models/model.js';
import { foreachAdd_, foreachMul_ } from '../tensor/foreach.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { GradientResult, Objective, StepContext } from './objectives/objective.js';

export interface AccumulateOptions {
  /** Number of equal parts. */
  readonly parts: number;
  /** Creates one part; it is freed after its gradients are computed. */
  readonly batchOf: (part: number) => Batch;
  readonly context: Omit<StepContext, 'part'>;
}

/**
 * Gradient accumulation: processes a batch in parts sequentially, in the memory of one part, and returns the mean
 * gradients, loss and accuracy. Batch statistics are computed per part. Stops after the first part whose loss is not
 * finite. If the objective perturbs the weights, they are restored after each part.
 */
export function accumulateGradients(
  objective: Objective,
  model: Model,
  options: AccumulateOptions,
): GradientResult {
  const { parts, batchOf, context } = options;
  if (parts === 1) return objective.computeGradients(model, batchOf(0), { ...context, part: 0 });

  let sums: readonly Tensor[] = [];
  let [loss, accuracy] = [0, 0];
  for (let part = 0; part < parts && Number.isFinite(loss); part++)
    sums = scope(() => {
      const result = objective.computeGradients(model, batchOf(part), { ...context, part });
      result.restore?.();
      loss += result.loss;
      accuracy += result.accuracy;
      if (part === 0) return result.gradients;
      noGrad(() => foreachAdd_(sums, result.gradients));
      return sums;
    });
  noGrad(() => foreachMul_(sums, 1 / parts));
  return { loss: loss / parts, accuracy: accuracy / parts, gradients: sums };
}

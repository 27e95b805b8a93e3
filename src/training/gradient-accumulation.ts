import type { Batch } from '../data/dataset-tensors.js';
import type { Model } from '../models/model.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { GradientResult, Objective, StepContext } from './objectives/objective.js';

export interface AccumulateOptions {
  /** How many parts, all of one size. */
  readonly parts: number;
  /** Makes one of them; it is freed when it was learned from. */
  readonly batchOf: (part: number) => Batch;
  readonly place: Omit<StepContext, 'part'>;
}

/**
 * Learns from a batch in parts, one after another, in the memory of one: the means of the gradients, of the losses and of
 * the accuracies. Batch norm sees each part for itself. The first part whose loss is not finite is the last one, and its
 * loss the result's. Where an objective moves the weights, they are put back after each part.
 */
export function accumulateGradients(
  objective: Objective,
  model: Model,
  options: AccumulateOptions,
): GradientResult {
  const { parts, batchOf, place } = options;
  if (parts === 1) return objective.computeGradients(model, batchOf(0), { ...place, part: 0 });

  let sums: readonly Tensor[] = [];
  let [loss, accuracy] = [0, 0];
  for (let part = 0; part < parts && Number.isFinite(loss); part++)
    sums = scope(() => {
      const learned = objective.computeGradients(model, batchOf(part), { ...place, part });
      learned.restore?.();
      loss += learned.loss;
      accuracy += learned.accuracy;
      if (part === 0) return learned.gradients;
      noGrad(() => {
        for (const [at, sum] of sums.entries()) sum.add_(learned.gradients[at]!);
      });
      return sums;
    });
  noGrad(() => {
    for (const sum of sums) sum.mul_(1 / parts);
  });
  return { loss: loss / parts, accuracy: accuracy / parts, gradients: sums };
}

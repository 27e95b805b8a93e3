import { descend } from '../attacks/descend.js';
import type { Norm } from '../attacks/norms.js';
import type { Batch } from '../data/tensors.js';
import { crossEntropy } from '../losses.js';
import type { Model } from '../models/model.js';
import { gradients } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** What one step learns from: the loss's gradients in the order of the parameters, and what to show. */
export interface Learned {
  readonly gradients: readonly Tensor[];
  readonly loss: number;
  /** Share of the images that the loss was taken of which were classified rightly. */
  readonly accuracy: number;
}

/** Ways of adversarial training differ here and nowhere else. */
export type Objective = (
  model: Model,
  batch: Batch,
  place: { readonly seed: number; readonly epoch: number },
) => Learned;

/** Cross-entropy on the images as they are. */
export const clean: Objective = (model, batch) => learn(model, batch.x, batch.labels);

export interface TrainingAttack {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly steps: number;
  readonly stepSize: number;
  readonly randomStart: boolean;
  /** Batch norm inside the attack: the running statistics, or the batch's (which leave the running ones alone). */
  readonly batchNorm: 'eval' | 'train';
}

/** Cross-entropy on the images that PGD makes of them (Madry et al., 2018), and on no others. */
export function adversarial(attack: TrainingAttack): Objective {
  return (model, batch, { seed, epoch }) =>
    scope(() => learn(model, perturb(model, batch, { ...attack, seed, epoch }), batch.labels));
}

function perturb(
  model: Model,
  batch: Batch,
  attack: TrainingAttack & { seed: number; epoch: number },
): Tensor {
  const { norm, epsilon, randomStart, seed, epoch } = attack;
  const key = { seed, stream: 'trainingAttack', epoch } as const;
  const start = randomStart ? norm.randomStart(batch.x, { epsilon, key, ids: batch.ids }) : batch.x;
  if (attack.batchNorm === 'train') {
    const classify = (x: Tensor) =>
      model.network.frozen(() => model.forward(x, { train: true, keepStatistics: true }));
    return descend(classify, { x: batch.x, labels: batch.labels, start }, attack);
  }
  using folded = model.fold();
  return descend(folded.classify, { x: batch.x, labels: batch.labels, start }, attack);
}

function learn(model: Model, x: Tensor, labels: Tensor): Learned {
  return scope(() => {
    const logits = model.forward(x, { train: true });
    const loss = crossEntropy(logits, labels);
    const right = logits.argmax(1).eq(labels).to('float32').mean();
    return {
      loss: loss.item(),
      accuracy: right.item(),
      gradients: gradients([loss], [...model.network.parameters().values()]),
    };
  });
}

import type { Batch } from '../../data/dataset-tensors.js';
import { type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import { InputError } from '../../errors.js';
import type { Model } from '../../models/model.js';
import { crossEntropy } from '../../nn/losses.js';
import type { Pass } from '../../nn/module.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { passAt, type UpdatePass } from './update-pass.js';

/** Where in a run a step stands: what noise is drawn by and what a warm-up goes by. */
export interface StepContext {
  readonly seed: number;
  /** The pass over the data, from 1. */
  readonly epoch: number;
  /** Steps done before this one, in all. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  /** Which part of a batch whose gradients are accumulated, from 0. */
  readonly part: number;
}

/** What one step learns from: the loss's gradients in the order of the parameters, and what to show. */
export interface GradientResult {
  readonly gradients: readonly Tensor[];
  readonly loss: number;
  /** Share of the images that the loss was taken of which were classified rightly. */
  readonly accuracy: number;
  /** To be called after the optimiser's step, where the weights were moved for the gradient's sake. */
  readonly restore?: () => void;
}

/** Ways of adversarial training differ here and nowhere else. */
export interface Objective extends Disposable {
  /**
   * The gradients of one step. The model is as it was when this returns or throws, apart from batch norm's running
   * statistics, and from weights that `Learned.restore` puts back.
   */
  computeGradients(model: Model, batch: Batch, place: StepContext): GradientResult;
  /** Steps in a row that are taken on one batch; more than 1 for Free alone. */
  readonly replays: number;
  /** What it carries from step to step, to be kept in checkpoints; empty for all but Free. */
  state(): ReadonlyMap<string, Tensor>;
  restore(state: ReadonlyMap<string, Tensor>): void;
  /** Frees what it carries. */
  [Symbol.dispose](): void;
}

/** An objective that carries nothing from one step to the next. */
export function stateless(learn: Objective['computeGradients']): Objective {
  return {
    computeGradients: learn,
    replays: 1,
    state: () => new Map(),
    restore(state) {
      if (state.size > 0)
        throw InputError.expected('no state', 'an objective that carries none', [...state.keys()].join(', '));
    },
    [Symbol.dispose]: () => {},
  };
}

/** The images of a training loss. */
export interface Examples {
  readonly x: Tensor; // [N, C, H, W]
  readonly adversarial: Tensor; // [N, C, H, W]
  readonly labels: Tensor; // int64 [N]
}

/** A training loss with its history, and the logits whose accuracy is shown. */
export interface LossValue {
  readonly loss: Tensor; // a number
  readonly logits: Tensor; // [N, classes]
}

/** How a loss is computed from clean and adversarial images; `pass` is handed to the model's `forward`. */
export type TrainingLoss = (model: Model, examples: Examples, pass: Pass) => LossValue;

/** How the update runs the network; `derivative` is set where it uses another activation's. */
export const update: Pass = { train: true };

/** Cross-entropy on the images as they are. */
export function clean(
  options: {
    readonly labelSmoothing?: number;
    readonly pass?: UpdatePass;
    readonly ranks?: ProcessGroup;
  } = {},
): Objective {
  const { labelSmoothing = 0, pass = update, ranks = singleProcess } = options;
  const loss = adversarialCrossEntropy(labelSmoothing);
  return stateless((model, batch, place) => {
    const { x, labels } = batch;
    const examples = { x, adversarial: x, labels };
    const compute = () => loss(model, examples, passAt(pass, batch, place));
    return gradientsOf(model, { labels, ranks, compute });
  });
}

/** Cross-entropy on adversarial images and on no others (Madry et al., 2018). */
export function adversarialCrossEntropy(labelSmoothing: number): TrainingLoss {
  return (model, { adversarial, labels }, pass) => {
    const logits = model.forward(adversarial, pass);
    return { loss: crossEntropy(logits, labels, { labelSmoothing }), logits };
  };
}

/** The gradients of a loss with respect to every parameter, as means over all ranks; `compute` runs the network. */
export function gradientsOf(
  model: Model,
  options: { readonly labels: Tensor; readonly ranks: ProcessGroup; readonly compute: () => LossValue },
): GradientResult {
  const { labels, ranks, compute } = options;
  return scope(() => {
    const { loss, logits } = compute();
    const { parameters: gradients } = ranks.gradients(loss, [...model.network.parameters().values()]);
    return { ...meansOver(ranks, loss, accuracyOf(logits, labels)), gradients };
  });
}

/** Loss and accuracy of all ranks together, which have as many images each. */
export function meansOver(
  ranks: ProcessGroup,
  loss: Tensor,
  accuracy: number,
): Pick<GradientResult, 'loss' | 'accuracy'> {
  const [losses = Number.NaN, accuracies = Number.NaN] = ranks.allReduce([loss.item(), accuracy]);
  return { loss: losses / ranks.size, accuracy: accuracies / ranks.size };
}

/** The share of logits [N, classes] whose largest stands at the label. */
export function accuracyOf(logits: Tensor, labels: Tensor): number {
  return scope(() => logits.argmax(1).eq(labels).to('float32').mean().item());
}

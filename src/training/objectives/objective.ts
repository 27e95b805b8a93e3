import type { Batch } from '../../data/dataset-tensors.js';
import { type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import { InputError } from '../../errors.js';
import type { Model } from '../../models/model.js';
import type { Pass } from '../../nn/module.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ClassWeights, weightedCrossEntropy } from './class-weights.js';
import { passAt, type UpdatePass } from './update-pass-options.js';

/** The position of a step within a run, which determines its noise and warm-ups; and how much its images count. */
export interface StepContext {
  readonly seed: number;
  /** The pass over the data, from 1. */
  readonly epoch: number;
  /** Steps completed before this one, in total. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  /** Index of the accumulation part, from 0. */
  readonly part: number;
  /** Place of the batch's first image in the whole batch of the step, of all ranks and parts. */
  readonly first: number;
  /** Of the loss; the attack has none. @default every class counts the same */
  readonly classWeights?: ClassWeights | undefined;
}

/** The result of one step: the gradients in parameter order, and values to log. */
export interface GradientResult {
  readonly gradients: readonly Tensor[];
  /** The mean loss, a float64 scalar: it stays on the device, so that computing it does not make a card wait. */
  readonly loss: Tensor;
  /** Accuracy on the images of the loss, 0 to 1, a float64 scalar. */
  readonly accuracy: Tensor;
  /** Removes a weight perturbation; to be called after the optimizer step. */
  readonly restore?: () => void;
}

/** A training method: how the gradients of a batch are computed. */
export interface Objective extends Disposable {
  /**
   * Computes the gradients of one step. The model is unchanged when this returns or throws, except for the running
   * statistics of batch norm and for a perturbation that `GradientResult.restore` removes.
   */
  computeGradients(model: Model, batch: Batch, context: StepContext): GradientResult;
  /** Consecutive steps on one batch; greater than 1 for Free only. */
  readonly replays: number;
  /** Warnings since the last call, one sentence each. */
  takeWarnings(): readonly string[];
  /** State carried between steps, stored in checkpoints; empty for all but Free. */
  state(): ReadonlyMap<string, Tensor>;
  restore(state: ReadonlyMap<string, Tensor>): void;
  /** Frees the state. */
  [Symbol.dispose](): void;
}

/** An objective without state between steps. */
export function stateless(computeGradients: Objective['computeGradients']): Objective {
  return {
    computeGradients,
    replays: 1,
    takeWarnings: () => [],
    state: () => new Map(),
    restore(state) {
      if (state.size > 0)
        throw InputError.expected('no state', 'a stateless objective', [...state.keys()].join(', '));
    },
    [Symbol.dispose]: () => {},
  };
}

/** The inputs of a training loss. */
export interface Examples {
  readonly x: Tensor; // [N, C, H, W]
  readonly adversarial: Tensor; // [N, C, H, W]
  readonly labels: Tensor; // int64 [N]
  readonly weights?: ClassWeights | undefined;
}

/** A training loss with its graph, and the logits from which the accuracy is computed. */
export interface LossValue {
  readonly loss: Tensor; // a scalar
  readonly logits: Tensor; // [N, classes]
}

/** Computes a loss from clean and adversarial images; `pass` is passed to the model's `forward`. */
export type TrainingLoss = (model: Model, examples: Examples, pass: Pass) => LossValue;

/** The forward pass of an update; `derivative` is set to use the derivative of another activation. */
export const trainingPass: Pass = { train: true };

/** Cross-entropy on the clean images. */
export function clean(
  options: {
    readonly labelSmoothing?: number;
    readonly pass?: UpdatePass;
    readonly group?: ProcessGroup;
  } = {},
): Objective {
  const { labelSmoothing = 0, pass = trainingPass, group = singleProcess } = options;
  const loss = adversarialCrossEntropy(labelSmoothing);
  return stateless((model, batch, context) => {
    const { x, labels } = batch;
    const examples = { x, adversarial: x, labels, weights: context.classWeights };
    const compute = () => loss(model, examples, passAt(pass, batch, context));
    return gradientsOf(model, { labels, group, compute });
  });
}

/** Cross-entropy on adversarial images only (Madry et al., 2018). */
export function adversarialCrossEntropy(labelSmoothing: number): TrainingLoss {
  return (model, { adversarial, labels, weights }, pass) => {
    const logits = model.forward(adversarial, pass);
    return { loss: weightedCrossEntropy(logits, labels, { labelSmoothing, weights }), logits };
  };
}

/** Gradients of a loss with respect to all parameters, averaged over the ranks; `compute` runs the forward pass. */
export function gradientsOf(
  model: Model,
  options: { readonly labels: Tensor; readonly group: ProcessGroup; readonly compute: () => LossValue },
): GradientResult {
  const { labels, group, compute } = options;
  return scope(() => {
    const { loss, logits } = compute();
    const { parameters: gradients } = group.gradients(loss, [...model.network.parameters().values()]);
    return { ...meansOver(group, loss, accuracyOf(logits, labels)), gradients };
  });
}

/** Mean loss and accuracy over the ranks, which have the same number of images. */
export function meansOver(
  group: ProcessGroup,
  loss: Tensor,
  accuracy: Tensor,
): Pick<GradientResult, 'loss' | 'accuracy'> {
  const means = { loss: loss.detach().to('float64'), accuracy: accuracy.to('float64') };
  group.allReduceMean_([means.loss, means.accuracy]);
  return means;
}

/** The fraction of rows of logits [N, classes] whose argmax is the label, a scalar. */
export function accuracyOf(logits: Tensor, labels: Tensor): Tensor {
  return scope(() => logits.detach().argmax(1).eq(labels).to('float32').mean());
}

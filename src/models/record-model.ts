import type { Classifier } from '../nn/classifier.js';
import type { Module } from '../nn/module.js';
import { type Recording, recordProgram } from '../onnx/record.js';
import { zeros } from '../tensor/create.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ModelDescription } from './description.js';

/** The steps of a model from pixels in [0, 1] to logits. */
export function recordModel(model: {
  readonly description: Pick<ModelDescription, 'shape'>;
  readonly network: Module;
  readonly normalisation: ReadonlyMap<string, Tensor>;
  readonly classify: Classifier;
}): Recording {
  const { description, network, normalisation, classify } = model;
  const named = new Map(network.state());
  for (const [name, constant] of normalisation) named.set(`normalize.${name}`, constant);
  // Two, because a convolution of one image goes to the BLAS of libtorch, whose threads then wait busily for more.
  return scope(() => recordProgram({ named, example: zeros([2, ...description.shape]), forward: classify }));
}

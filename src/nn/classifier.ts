import type { Tensor } from '../tensor/tensor.js';

/** From pixels in [0, 1], [N, C, H, W], to logits [N, classes]: all that an attack knows of a network. */
export type Classifier = (x: Tensor) => Tensor;

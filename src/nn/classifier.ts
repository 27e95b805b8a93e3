import type { Tensor } from '../tensor/tensor.js';

/** Maps pixels in [0, 1], [N, C, H, W], to logits [N, classes]: the only view of a network that an attack has. */
export type Classifier = (x: Tensor) => Tensor;

import type { Tensor } from '../tensor/tensor.js';
import type { Neighbours } from './neighbours.js';

/**
 * Maps pixels in [0, 1], [N, C, H, W], to logits [N, classes]: the only view of a network that an attack has. With `neighbours`,
 * which need no gradient, it may compute less; the logits are the same up to rounding.
 */
export interface Classifier {
  (x: Tensor, neighbours?: Neighbours): Tensor;
  /** Whether it gives an image like these the same numbers in every batch, of one too. @default false */
  readonly isPerImage?: (x: Tensor) => boolean;
}

import type { FusedActivation } from '../tensor/functional.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * An activation function: the subject of the paper, and an argument of every model. It acts on each number alone.
 * docs/activations.md tells how to add one.
 */
export interface Activation {
  /** As it is written in recipes and on the command line: `silu`, `softplus(10)`. */
  readonly name: string;
  /** As people write it: `SiLU`, `Softplus (β = 10)`. */
  readonly title: string;
  readonly formula: string;
  /** Its name in the kernel that computes it together with a batch norm, where that has it. */
  readonly fused?: FusedActivation;
  /** f(x), recorded for gradients. */
  forward(x: Tensor): Tensor;
  /** f′(x), which a test compares with the gradient of `forward`. At a jump, the value that the gradient takes there. */
  derivative(x: Tensor): Tensor;
}

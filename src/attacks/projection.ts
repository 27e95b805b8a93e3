import { operator } from '../tensor/operator.js';
import { one, type Tensor } from '../tensor/tensor.js';
import type { NormName } from '../user-input/norm-name.js';
import { greedyStep, type Hyperplane } from './greedy-step.js';

/**
 * The smallest step δ, in the norm, from each image to a hyperplane within the box [0, 1]:
 * min ‖δ‖ with w · (x + δ) = w · x − excess and 0 ≤ x + δ ≤ 1. If the box does not intersect the hyperplane, the step
 * goes as close as the box allows. x and w [N, C, H, W], excess [N] → [N, C, H, W].
 *
 * In L∞ and L2 the optimum moves each pixel against sign(w) by min(λ speed, room), where room is its distance to the bound of the
 * box and λ is the smallest value with Σ |w| min(λ speed, room) = |excess|. The sum is concave and piecewise linear in
 * λ, so Newton's method from 0 approaches λ from below and terminates after finitely many iterations: pixels that reach
 * the bound stay there. Few iterations are needed, and no sorting.
 *
 * Satin's own operator computes it, of float32 and float64, without reading anything on the way. In L1 see `greedyStep`.
 */
export function stepToHyperplane(norm: NormName, x: Tensor, plane: Hyperplane): Tensor {
  if (norm === 'l1') return greedyStep(x, plane);
  return one(stepOperator, x.handle, plane.w.handle, plane.excess.handle, norm === 'l2');
}

const stepOperator = operator('satin::step_to_hyperplane');

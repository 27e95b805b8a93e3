import type { ProcessGroup } from '../../distributed/process-group.js';
import type { Model } from '../../models/model.js';
import { stack } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { keep, scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Adversarial weight perturbation: the loss is taken where the weights, too, were moved against it. */
export interface AwpOptions {
  /** Length of the move of each weight tensor over the tensor's own (adversarial training 0.01, TRADES 0.005). */
  readonly gamma: number;
  /** Epochs without it. */
  readonly warmup: number;
}

/**
 * Adversarial weight perturbation (Wu, Xia and Wang, 2020): moves every tensor of more than one dimension up the loss,
 * w ← w + γ ‖w‖ g / (‖g‖ + 1e-18), and leaves batch norm and biases alone. The authors take g from a step of SGD of
 * length 0.01 of a copy of the network, on the negated loss; 1e-18 is their 1e-20 over that 0.01. The gradient itself
 * gives the same direction without the copy and without its rounding. Where it is not finite nothing is moved.
 *
 * @param options `loss` computes the loss; it must not move batch norm's running statistics. All ranks make the same move.
 * @returns what takes the move back. Called after the optimiser's step it leaves what that did, and the rounding of the
 * two moves. A second call does nothing.
 */
export function perturbWeights(
  model: Model,
  options: { readonly loss: () => Tensor; readonly gamma: number; readonly ranks: ProcessGroup },
): () => void {
  const { loss, gamma, ranks } = options;
  const weights = [...model.network.parameters().values()].filter(({ shape }) => shape.length > 1);
  const moves = scope(() => {
    const { parameters: slopes } = ranks.gradients(loss(), weights);
    return noGrad(() => {
      const lengths = slopes.map(lengthOf);
      if (stack(lengths).isFinite().not().to('float32').sum().item() > 0) return [];
      return slopes.map((slope, at) =>
        slope.mul(lengthOf(weights[at]!).mul(gamma).div(lengths[at]!.add(1e-18))),
      );
    });
  }).map(keep);
  const moveBy = (scale: number) =>
    noGrad(() => {
      for (const [at, move] of moves.entries()) weights[at]!.add_(move, scale);
    });
  moveBy(1);
  return () => {
    moveBy(-1);
    for (const move of moves.splice(0)) move.dispose();
  };
}

/** The Euclidean norm of all its numbers. */
function lengthOf(tensor: Tensor): Tensor {
  return tensor.l2Norm(tensor.shape.map((_, dimension) => dimension));
}

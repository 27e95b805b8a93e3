import type { ProcessGroup } from '../../distributed/process-group.js';
import type { Model } from '../../models/model.js';
import { stack, where, zeros } from '../../tensor/create.js';
import { foreachAdd_ } from '../../tensor/foreach.js';
import { noGrad } from '../../tensor/gradient.js';
import { keep, scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Adversarial weight perturbation: the loss is minimised at adversarially perturbed weights. */
export interface AwpOptions {
  /** Size of the perturbation of each weight tensor relative to its norm (adversarial training 0.01, TRADES 0.005). */
  readonly gamma: number;
  /** Epochs before it is applied. */
  readonly warmup: number;
}

/**
 * Adversarial weight perturbation (Wu, Xia and Wang, 2020): moves every tensor of more than one dimension along the
 * gradient of the loss, w ← w + γ ‖w‖ g / (‖g‖ + 1e-18), except batch norm and biases. The authors obtain g from an SGD
 * step with learning rate 0.01 on a copy of the network, on the negated loss; 1e-18 is their 1e-20 over that 0.01. The
 * gradient itself gives the same direction without the copy and its rounding. If it is not finite the perturbation is 0.
 *
 * @param options `loss` computes the loss; it must not update running statistics. All ranks apply the same
 * perturbation.
 * @returns a function that removes the perturbation. Called after the optimizer step it leaves the update of the
 * latter, up to rounding. A second call does nothing.
 */
export function perturbWeights(
  model: Model,
  options: { readonly loss: () => Tensor; readonly gamma: number; readonly group: ProcessGroup },
): () => void {
  const { loss, gamma, group } = options;
  const weights = [...model.network.parameters().values()].filter(({ shape }) => shape.length > 1);
  const perturbations = scope(() => {
    const { parameters: grads } = group.gradients(loss(), weights);
    return noGrad(() => {
      const gradNorms = grads.map(normOf);
      const allFinite = stack(gradNorms).isFinite().not().to('float32').sum().eq(0); // bool, a scalar
      return grads.map((grad, index) => {
        const perturbation = grad.mul(normOf(weights[index]!).mul(gamma).div(gradNorms[index]!.add(1e-18)));
        return where(allFinite, perturbation, zeros([], grad.dtype, grad.device));
      });
    });
  }).map(keep);
  noGrad(() => foreachAdd_(weights, perturbations));
  return () => {
    noGrad(() => foreachAdd_(weights.splice(0), perturbations, -1));
    for (const perturbation of perturbations.splice(0)) perturbation.dispose();
  };
}

/** The L2 norm of all entries. */
function normOf(tensor: Tensor): Tensor {
  return tensor.l2Norm(tensor.shape.map((_, dimension) => dimension));
}

import { InputError } from '../errors.js';
import { operator } from '../tensor/operator.js';
import { handleOf, one, type Tensor } from '../tensor/tensor.js';
import { requireArgument } from '../user-input/require-argument.js';

const reductions = { none: 0, mean: 1, sum: 2 } as const;

/**
 * Cross-entropy −log softmax(logits)[label]; with label smoothing s, (1 − s) times it plus s times its mean over
 * classes. logits [N, C], labels int64 [N] → a scalar, or [N] for `none`. With `weight`, [C], the logarithm of each class
 * is multiplied by its weight, as in PyTorch's CrossEntropyLoss, whose `mean` divides by the sum of the labels' weights.
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: {
    readonly reduction?: keyof typeof reductions;
    readonly labelSmoothing?: number;
    readonly weight?: Tensor | undefined;
  } = {},
): Tensor {
  requireArgument(options, 'options', 'crossEntropy');
  const { reduction = 'mean', labelSmoothing = 0, weight } = options;
  if (!Object.hasOwn(reductions, reduction))
    throw InputError.expected('none, mean or sum', 'the reduction of crossEntropy', reduction);
  return one(
    crossEntropyOperator,
    handleOf(logits, 'the logits of crossEntropy'),
    handleOf(labels, 'the labels of crossEntropy'),
    weight === undefined ? undefined : handleOf(weight, 'the weight of crossEntropy'),
    reductions[reduction],
    -100,
    labelSmoothing,
  );
}

/**
 * KL divergence KL(P ‖ Q) = Σ_c p (log p − log q) of two distributions given as log-probabilities, [N, C] each (in
 * log-space a probability of 0 gives no NaN): its mean or sum over the batch, or [N] for `none`. Differentiable in both
 * arguments.
 */
export function klDivergence(
  logP: Tensor,
  logQ: Tensor,
  options: { readonly reduction?: 'mean' | 'sum' | 'none' } = {},
): Tensor {
  const { reduction = 'mean' } = options;
  const each = logP.exp().mul(logP.sub(logQ)).sum([1]); // [N]
  return reduction === 'none' ? each : reduction === 'mean' ? each.mean() : each.sum();
}

const crossEntropyOperator = operator('aten::cross_entropy_loss');

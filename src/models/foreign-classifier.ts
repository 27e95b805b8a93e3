import { InputError } from '../errors.js';
import type { Classifier } from '../nn/classifier.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * A classifier of unknown code as Satin calls it: it gets a copy of the images, so that it cannot change Satin's, and its
 * logits are returned in the element type of the images.
 *
 * @throws {InputError} on a call, for an output that is not of floating-point numbers.
 */
export function foreignClassifier(classify: Classifier, name: string): Classifier {
  return (x) => asLogits(classify(x.clone()), x, name);
}

function asLogits(output: Tensor, x: Tensor, name: string): Tensor {
  const { dtype } = output;
  if (dtype === x.dtype) return output;
  if (['float16', 'bfloat16', 'float32', 'float64'].includes(dtype)) return output.to(x.dtype);
  throw InputError.expected(
    'logits as floating-point numbers',
    `the output of ${name}`,
    dtype,
    "Return the network's last layer itself, without argmax, comparison or rounding.",
  );
}

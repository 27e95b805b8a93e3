import type { Dataset } from '../data/dataset.js';
import { InputError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Requires one row of `logits` per image and one column per class of the data, and at least one row that is finite.
 * Individual rows that are not finite count as misclassified.
 *
 * @throws {InputError}
 */
export function requireLogits(
  logits: Tensor,
  { images, data }: { readonly images: number; readonly data: Pick<Dataset, 'name' | 'classes'> },
): void {
  const { shape } = logits;
  if (shape.length !== 2 || shape[0] !== images)
    throw InputError.expected(
      `logits of shape [${images}, classes] for ${images} images`,
      'the model',
      `a shape of [${shape.join(', ')}]`,
      'Each image needs one row with one logit per class.',
    );
  requireClasses(shape[1]!, data);
  const largest = logits.detach().max([1]).numbers(); // max propagates NaN
  if (!largest.some(Number.isFinite))
    throw InputError.expected(
      'finite logits',
      'the model',
      largest[0],
      `The logits of all ${images} images tested are not finite.`,
    );
}

/** @throws {InputError} if the model has fewer than two classes, or not as many as the data. */
export function requireClasses(classes: number, { name, classes: names }: Pick<Dataset, 'name' | 'classes'>) {
  if (classes < 2)
    throw InputError.expected(
      'at least two classes',
      'the model',
      classes,
      'A binary classifier with a single output needs one logit per class: torch.cat([-z, z], 1).',
    );
  if (classes !== names.length)
    throw InputError.expected(
      `a model of ${names.length} classes, as ${name} has,`,
      'the model',
      `one of ${classes}`,
    );
}

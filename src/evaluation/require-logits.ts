import type { Dataset } from '../data/dataset.js';
import { InputError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Refuses what no evaluation can be made of: `logits` that are not one row an image and one column a class of the data,
 * or of which not one is a number. Where only some images' logits are no numbers, those count as misclassified.
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
      'Each image has one row, with a number for each class.',
    );
  requireClasses(shape[1]!, data);
  const largest = logits.detach().max([1]).numbers(); // NaN is the largest of all
  if (!largest.some(Number.isFinite))
    throw InputError.expected(
      'logits that are numbers',
      'the model',
      largest[0],
      `So are those of all ${images} images looked at.`,
    );
}

/** @throws {InputError} where a model knows fewer or more classes than the data, or just one. */
export function requireClasses(classes: number, { name, classes: names }: Pick<Dataset, 'name' | 'classes'>) {
  if (classes < 2)
    throw InputError.expected(
      'at least two classes',
      'the model',
      classes,
      'A network whose one output decides between two classes needs one for each: torch.cat([-z, z], 1).',
    );
  if (classes !== names.length)
    throw InputError.expected(
      `a model of ${names.length} classes, as ${name} has,`,
      'the model',
      `one of ${classes}`,
    );
}

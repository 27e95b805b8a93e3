import { InputError } from '../../errors.js';
import type { ModelDescription } from '../../models/description.js';
import { zeros } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { AttackableModel } from './open-model.js';

/**
 * The names of a model's classes; if its file does not name them, their indices as text: `0`, `1` and so on.
 *
 * @throws {InputError} if the model does not accept images of this shape, or its output is not one row of logits an image.
 */
export function modelClassNames(
  model: Pick<AttackableModel, 'classes' | 'classify' | 'device'>,
  shape: ModelDescription['shape'],
): readonly string[] {
  if (model.classes !== null) return model.classes;
  const [images, classes = 0, ...rest] = scope(
    () => noGrad(() => model.classify(zeros([2, ...shape]))).shape,
  );
  if (images !== 2 || classes < 2 || rest.length > 0)
    throw InputError.expected(
      'a row of logits for each image, of at least two classes,',
      'the model',
      `a shape of [${[images, classes, ...rest].join(', ')}] for two images`,
    );
  return Array.from({ length: classes }, (_, label) => String(label));
}

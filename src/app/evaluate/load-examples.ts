import { type ClassMap, withMappedLabels } from '../../data/class-map.js';
import { orderWarning, withLabelsOf } from '../../data/class-order.js';
import type { Dataset } from '../../data/dataset.js';
import { type LoadOptions, loadDataset } from '../../data/load-dataset.js';
import { InputError } from '../../errors.js';
import type { EvaluationTransform } from '../../models/description.js';
import { nameList } from '../../user-input/name-list.js';
import { requireArgument } from '../../user-input/require-argument.js';
import { modelClassNames } from '../model/model-class-names.js';
import type { AttackableModel } from '../model/open-model.js';

/** What has to be known of a model to load examples for it; with a class map it is also asked how many classes it has. */
export type ExamplesModel = Pick<AttackableModel, 'shape' | 'classes' | 'transform'> &
  Partial<Pick<AttackableModel, 'classify' | 'device'>>;

export interface ExamplesOptions extends LoadOptions {
  /** How many; null for all. */
  readonly count: number | null;
  readonly seed: number;
  /** Which class of the model each class of the data is. @default the one of the same name, or at the same place */
  readonly classMap?: ClassMap | undefined;
}

/**
 * Loads `count` examples to evaluate a model on, resized to its input size where that is known, with the labels of its
 * classes. ImageNet is resized as the model's file says, unless `imagenet` is given.
 *
 * @throws {InputError} for images that do not fit the model, or of classes that it does not know.
 */
export async function loadExamples(model: ExamplesModel, options: ExamplesOptions): Promise<Dataset> {
  requireArgument(model, 'options', 'loadExamples');
  for (const name of ['shape', 'classes'] as const)
    if (model[name] !== null) requireArgument(model[name], 'list', `the model's ${name}, or null,`);
  requireArgument(options, 'options', 'loadExamples');
  const { count, seed, classMap, ...load } = options;
  requireArgument(seed, 'whole', 'the seed of loadExamples');
  if (count !== null) requireArgument(count, 'count', 'the count of loadExamples');
  const { shape, transform } = model;
  const size = shape && ([shape[1], shape[2]] as const);
  const form =
    size === null
      ? {}
      : load.name === 'folder'
        ? { size, channels: shape?.[0] === 1 ? (1 as const) : (3 as const) }
        : load.name === 'imagenet'
          ? { size, ...(transform && { imagenet: load.imagenet ?? formOf(transform) }) }
          : {};
  const examples = count === null ? undefined : { count, seed };
  const chosen = await loadDataset({ ...load, ...form, examples });
  const labelled = classMap === undefined ? labelledFor(model, chosen) : mappedFor(model, chosen, classMap);
  requireFits(model, labelled);
  return labelled;
}

/** The examples with the model's labels, by the names of the classes; if it does not name them, in the order of the data. */
function labelledFor({ classes }: Pick<AttackableModel, 'classes'>, data: Dataset): Dataset {
  if (classes !== null)
    return classes.join('\n') === data.classes.join('\n') ? data : withLabelsOf(classes, data);
  const warning = orderWarning(data);
  return warning === null ? data : { ...data, warnings: [...data.warnings, warning] };
}

/** The examples with the model's labels, by a class map; if it does not name its classes, their names are their indices. */
function mappedFor(
  { classes, classify, device = 'cpu' }: ExamplesModel,
  data: Dataset,
  map: ClassMap,
): Dataset {
  if (classes === null && classify === undefined)
    throw InputError.expected('a model with `classify`', '`classMap`', 'a description alone');
  const known = classes ?? modelClassNames({ classes, classify: classify!, device }, data.shape);
  return withMappedLabels(data, map, { classes: known, isNamed: classes !== null });
}

const formOf = (transform: EvaluationTransform) => ({
  ...transform,
  layout: null,
  decoding: 'exact' as const,
});

/** @throws {InputError} if the images have another shape, or other classes, than those of the model. */
export function requireFits(
  { shape, classes }: Pick<AttackableModel, 'shape' | 'classes'>,
  data: Dataset,
): void {
  if (shape !== null && data.shape.join() !== shape.join())
    throw InputError.expected(
      `images of shape [${shape.join(', ')}], as the model takes them,`,
      data.name,
      `[${data.shape.join(', ')}]`,
    );
  if (classes !== null && data.classes.join('\n') !== classes.join('\n'))
    throw new InputError(
      'invalid-input',
      `Expected the model's ${classes.length} classes (${nameList(classes, 20)}) for ${data.name} but received ${data.classes.length} (${nameList(data.classes, 20)}).`,
    );
}

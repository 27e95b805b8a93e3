import { nearest } from '../user-input/did-you-mean.js';
import { nameList } from '../user-input/name-list.js';
import { type Dataset, labelArray } from './dataset.js';
import { countOf, datasetError } from './dataset-error.js';

/**
 * A data set with the labels of a model whose classes are `classes`, in the order of its outputs: classes are the same where
 * their names are, whatever their order. Classes without images are told in a warning.
 *
 * @throws {InputError} for images of a class that the model does not know.
 */
export function withLabelsOf(classes: readonly string[], dataset: Dataset): Dataset {
  const labelOf = new Map(classes.map((name, label) => [name.normalize('NFC'), label]));
  const found = dataset.classes.map((name) => labelOf.get(name.normalize('NFC')));
  const unknown = dataset.classes.filter((_, at) => found[at] === undefined);
  if (unknown.length > 0) throw unknownClasses(unknown, { classes, dataset });
  const have = new Set(found);
  const absent = classes.filter((_, label) => !have.has(label));
  const labels = labelArray(dataset.labels.length, classes.length);
  for (const [at, label] of dataset.labels.entries()) labels[at] = found[label]!;
  const warnings =
    absent.length === 0
      ? []
      : [
          `${countOf(absent.length, 'class', 'classes')} of the model's ${classes.length} ${absent.length === 1 ? 'is' : 'are'} not among those of ${dataset.name}: ${nameList(absent)}. What is measured is measured on the others.`,
        ];
  return { ...dataset, classes, labels, warnings: [...dataset.warnings, ...warnings] };
}

function unknownClasses(
  unknown: readonly string[],
  { classes, dataset }: { readonly classes: readonly string[]; readonly dataset: Dataset },
) {
  const [first] = unknown;
  const meant = nearest(first!, classes);
  return datasetError({
    file: dataset.name,
    expected: `only the model's ${classes.length} classes`,
    received: `${countOf(unknown.length, 'other')} as well (${nameList(unknown)})`,
    remedy:
      meant === undefined
        ? `The model knows ${nameList(classes, 10)}.`
        : `Did you mean '${meant}' for '${first}'?`,
  });
}

/**
 * Of class names that were sorted as text although they count, as 0, 1, 10, 2 do: the warning for a model that does not name
 * its classes, since its outputs may be in the order of the numbers. Null if both orders are the same.
 */
export function orderWarning({ name, classes }: Pick<Dataset, 'name' | 'classes'>): string | null {
  const isSorted = classes.every((each, at) => at === 0 || classes[at - 1]! < each);
  const counted = [...classes].sort(compareAsCounted);
  const first = classes.findIndex((each, at) => each !== counted[at]);
  if (!isSorted || first === -1) return null;
  return (
    `The classes of ${name} are sorted as text: ${nameList(classes, first + 3)}, so that label ${first} is ` +
    `${nameList(classes.slice(first, first + 1))} and not ${nameList(counted.slice(first, first + 1))}. ` +
    'The model does not name its classes: if its outputs are in the order of the numbers, state that order by `classes`.'
  );
}

/** Compares names as a person counts: digits as a number, the rest by code unit. */
function compareAsCounted(a: string, b: string): number {
  const [first, second] = [partsOf(a), partsOf(b)];
  for (let at = 0; at < Math.min(first.length, second.length); at++) {
    const [x, y] = [first[at]!, second[at]!];
    if (x === y) continue;
    const numbers = Number(x) - Number(y); // NaN unless both are digits
    if (numbers !== 0 && !Number.isNaN(numbers)) return numbers;
    return x < y ? -1 : 1;
  }
  return first.length - second.length;
}

function partsOf(name: string): string[] {
  return name.match(/\d+|\D+/g) ?? [];
}

import { statSync } from 'node:fs';
import { isMap, isScalar, type Node, type Pair, Scalar } from 'yaml';
import { InputError } from '../errors.js';
import { readYaml } from '../files/read-yaml.js';
import { nearest } from '../user-input/did-you-mean.js';
import { nameList } from '../user-input/name-list.js';
import { requireArgument } from '../user-input/require-argument.js';
import { withLabelsOf } from './class-order.js';
import type { Dataset } from './dataset.js';
import { countOf } from './dataset-error.js';

/** For classes of a data set, such as the names of folders: the name of a model's class, or the index of its output. */
export type ClassMap = Readonly<Record<string, string | number>>;

/**
 * Reads a class map from YAML or JSON: `cat: tabby` names a class of the model, `cat: 281` is the index of an output, from
 * 0. A number in quotes is a name. Names of folders are read as they stand: `010` is not 10.
 *
 * @throws {InputError} for a file that is missing or anything else.
 */
export function readClassMap(path: string): ClassMap {
  requireArgument(path, 'text', 'the path of a class map');
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw InputError.expected('a YAML or JSON file', '`classMap`', path, 'The file does not exist.');
  const { contents } = readYaml(path, { asText: true });
  if (!isMap(contents) || contents.items.length === 0)
    throw InputError.expected(
      'lines such as cat: 281 or cat: tabby',
      path,
      contents === null ? 'an empty file' : 'something else',
    );
  return Object.fromEntries(contents.items.map((line) => entryOf(line as Pair<Node, Node | null>, path)));
}

function entryOf({ key, value }: Pair<Node, Node | null>, path: string): [string, string | number] {
  if (!isScalar<string>(key))
    throw InputError.expected('the name of a class of the data', `a key of ${path}`, String(key));
  const name = key.value;
  if (!isScalar<string>(value) || value.value === '')
    throw InputError.expected(
      'a class of the model, or the index of an output,',
      `${name} in ${path}`,
      value?.toJSON(),
    );
  const isNumber = value.type === Scalar.PLAIN && /^\d{1,6}$/.test(value.value);
  return [name, isNumber ? Number(value.value) : value.value];
}

export interface MappedClasses {
  /** The classes of the model, in the order of its outputs. */
  readonly classes: readonly string[];
  /** Whether they are the model's own names; otherwise they are indices as text. */
  readonly isNamed: boolean;
}

/**
 * A data set with the labels of a model, by a class map. Several classes of the data may be one of the model; a class that
 * is not in the map is the one of the same name. What was mapped is told in a warning.
 *
 * @throws {InputError} for a class of the data without one of the model, for a class or an output that the model does not
 *   have, and, where a class of the data is not in the map, for a line of another class, which may be misspelt.
 */
export function withMappedLabels(
  dataset: Dataset,
  map: ClassMap,
  { classes, isNamed }: MappedClasses,
): Dataset {
  const lines = linesOf(map);
  const known = new Set(dataset.classes.map(composed));
  const others = Object.keys(map).filter((name) => !known.has(composed(name)));
  const own = new Map(isNamed ? classes.map((name) => [composed(name), name]) : []);
  const mapped = dataset.classes.map((name) => {
    const line = lines.get(composed(name));
    if (line !== undefined) return classOf(line, { name, classes, isNamed });
    const same = own.get(composed(name));
    if (same === undefined || others.length > 0)
      throw unmapped(name, { dataset, others, own: [...own.values()] });
    return same;
  });
  const said = dataset.classes.map((name, at) => `${name} → ${mapped[at]}`);
  const rest =
    others.length === 0
      ? ''
      : ` Of its lines ${others.length} ${others.length === 1 ? 'is' : 'are'} of no class here.`;
  const told = `By the class map, the classes of ${dataset.name} are these of the model: ${nameList(said, { most: 20, length: 120 })}.${rest}`;
  return withLabelsOf(classes, { ...dataset, classes: mapped, warnings: [...dataset.warnings, told] });
}

/** The two Unicode forms of a name are one name. */
const composed = (name: string): string => name.normalize('NFC');

function linesOf(map: ClassMap): Map<string, string | number> {
  const lines = new Map<string, string | number>();
  for (const [name, target] of Object.entries(map)) {
    if (lines.has(composed(name)))
      throw InputError.expected('each class once', '`classMap`', name, 'It is there in two Unicode forms.');
    lines.set(composed(name), target);
  }
  return lines;
}

function classOf(
  target: string | number,
  { name, classes, isNamed }: MappedClasses & { readonly name: string },
): string {
  const found =
    typeof target === 'number'
      ? classes[target]
      : classes.find((each) => isNamed && composed(each) === composed(target));
  if (found !== undefined) return found;
  const outputs = `the index of an output of the model, 0 to ${classes.length - 1},`;
  if (typeof target === 'number' || !isNamed)
    throw InputError.expected(
      outputs,
      `'${name}' in \`classMap\``,
      target,
      isNamed || typeof target === 'number'
        ? undefined
        : 'The model does not name its classes: state their names by `classes`.',
    );
  const meant = nearest(target, classes);
  throw InputError.expected(
    `one of the model's ${classes.length} classes, or the index of an output,`,
    `'${name}' in \`classMap\``,
    target,
    meant === undefined ? `The model knows ${nameList(classes, 10)}.` : `Did you mean '${meant}'?`,
  );
}

/** For a class of the data that is not in the map. */
function unmapped(
  name: string,
  {
    dataset,
    others,
    own,
  }: { readonly dataset: Dataset; readonly others: readonly string[]; readonly own: readonly string[] },
): InputError {
  const near = nearest(name, others.length > 0 ? others : own);
  const meant =
    near === undefined
      ? ''
      : others.length > 0
        ? ` Did you mean '${name}' by '${near}'?`
        : ` Did you mean '${near}'?`;
  const received =
    others.length > 0
      ? `none, and ${countOf(others.length, 'line')} of no class there (${nameList(others)})`
      : `none, and the model ${own.length > 0 ? 'has no class of that name' : 'does not name its classes'}`;
  return new InputError(
    'invalid-input',
    `Expected a line for '${name}' of ${dataset.name} in \`classMap\` but received ${received}.${meant}`,
  );
}

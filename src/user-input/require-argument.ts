import { InputError } from '../errors.js';

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Whether a value is an object with these fields, of whatever kind. */
const has =
  (...fields: readonly string[]) =>
  (value: unknown): boolean =>
    isObject(value) && fields.every((field) => field in value);

const isList = (value: unknown): boolean =>
  isObject(value) && (Array.isArray(value) || ArrayBuffer.isView(value));
const isBytes = (value: unknown): boolean => value instanceof Uint8Array;
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isText = (value: unknown): boolean => typeof value === 'string';

/** Whether a value is an object whose fields are what these say. */
const hasThe =
  (fields: Readonly<Record<string, (value: unknown) => boolean>>) =>
  (value: unknown): boolean =>
    isObject(value) && Object.entries(fields).every(([field, holds]) => holds(Reflect.get(value, field)));

const labelled = { labels: isList, ids: isList, classes: isList };

/** What arguments of the library are, each with the phrase of messages; types are known to callers in TypeScript alone. */
const kinds = {
  text: ['a text', isText],
  number: ['a number', (value: unknown) => typeof value === 'number' && !Number.isNaN(value)],
  whole: ['a whole number of at least 0', (value: unknown) => Number.isInteger(value) && Number(value) >= 0],
  count: ['a whole number of at least 1', (value: unknown) => Number.isInteger(value) && Number(value) >= 1],
  flag: ['true or false', (value: unknown) => typeof value === 'boolean'],
  function: ['a function', isFunction],
  list: ['a list', isList],
  bytes: ['a Uint8Array', isBytes],
  options: ['options', (value: unknown) => isObject(value) && !isList(value)],
  activation: ['an activation, as parseActivation returns,', hasThe({ curve: has('kind') })],
  attack: ['an attack, as parseAttack returns,', has('kind', 'steps')],
  dataset: ['a data set', hasThe({ ...labelled, images: isBytes, shape: isList })],
  examples: ['examples, a DatasetTensors,', has('dataset', 'labels', 'ids')],
  model: ['a Model', has('description', 'classify')],
  attackable: [
    'a model that can be attacked, as openModel returns,',
    has('classify', 'forAttacks', 'device'),
  ],
  subject: ['a model with the functions exact and fast', hasThe({ exact: isFunction, fast: isFunction })],
  labelled: ['a data set', hasThe(labelled)],
  norm: ['one of norms', has('project', 'distance', 'name')],
  threat: ['a threat model with norm and epsilon', has('norm', 'epsilon')],
  description: [
    'the description of a network',
    hasThe({ architecture: isText, shape: isList, classes: isList }),
  ],
  recipe: ['a recipe, as loadRecipe returns it,', has('data', 'model', 'threat', 'training', 'validation')],
  classifier: ['a model with classify and a device', has('classify', 'device')],
  inputs: ['x, labels and start', has('x', 'labels', 'start')],
} as const satisfies Record<string, readonly [expected: string, holds: (value: unknown) => boolean]>;

type Kind = keyof typeof kinds;

/** @throws {InputError} unless a value is what its type says; `name` is that of the argument. */
export function requireArgument(value: unknown, kind: Kind, name: string): void {
  const [expected, holds] = kinds[kind];
  if (!holds(value)) throw InputError.expected(expected, name, value);
}

/** @throws {InputError} as `requireArgument`, of an option that may be left out. */
export function requireOptional(value: unknown, kind: Kind, name: string): void {
  if (value !== undefined) requireArgument(value, kind, name);
}

/** @throws {InputError} as `requireArgument`, for a list and for each of its elements. */
export function requireList(values: unknown, kind: Kind, name: string): void {
  requireArgument(values, 'list', name);
  for (const value of values as Iterable<unknown>) requireArgument(value, kind, `each of ${name}`);
}

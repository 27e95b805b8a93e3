import { InputError } from '../errors.js';

/** Assignments `path=value` with one value for each setting that has a list. */
export interface Combination {
  readonly set: readonly string[];
  /** The values of the listed settings, in their order. */
  readonly values: readonly string[];
}

export interface Combinations {
  /** Paths of the settings that have a list; none: `all` is a single combination. */
  readonly settings: readonly string[];
  readonly all: readonly Combination[];
}

/** More than anybody trains, and fewer than fill the memory. */
const most = 500;

/** Settings whose values are texts, in which a comma is a comma. */
const texts: readonly string[] = ['description', 'data.dir'];

/**
 * Every combination of the values in assignments such as `training.epochs=10,20`: the last list varies fastest. A comma in
 * brackets, braces, parentheses or quotes belongs to its value, so that `schedule.milestones=[10,20]` is no list.
 *
 * @throws {InputError} for an empty value, a value given twice, or more than 500 combinations.
 */
export function combinations(assignments: readonly string[]): Combinations {
  const settings: string[] = [];
  let all: Combination[] = [{ set: [], values: [] }];
  for (const assignment of assignments) {
    const [, path, text] = /^([^=]+)=(.*)$/s.exec(assignment) ?? [];
    const values = path === undefined || text === undefined ? [] : listedValues(path, text);
    if (path !== undefined && values.length > 1) settings.push(path);
    const each = values.length > 1 ? values.map((value) => [`${path}=${value}`, value]) : [[assignment]];
    if (all.length * each.length > most)
      throw InputError.expected(`at most ${most} runs`, '`set`', all.length * each.length);
    all = all.flatMap(({ set, values }) =>
      each.map(([one = assignment, ...value]) => ({ set: [...set, one], values: [...values, ...value] })),
    );
  }
  const twice = settings.find((path, index) => settings.indexOf(path) !== index);
  if (twice !== undefined) throw InputError.expected('one list', `\`set\` of ${twice}`, 'several');
  return { settings, all };
}

function listedValues(path: string, text: string): string[] {
  const values = texts.includes(path) ? [text] : splitAtCommas(text).map((value) => value.trim());
  if (values.length === 1) return values;
  if (values.includes(''))
    throw InputError.expected('a value before and after each comma', `\`set\` of ${path}`, text);
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) throw InputError.expected('each value once', `\`set\` of ${path}`, text);
  return values;
}

/** The parts of a text between commas that stand outside brackets and quotes. */
function splitAtCommas(text: string): string[] {
  const parts = [''];
  let depth = 0;
  let quote: string | null = null;
  for (const character of text) {
    const before = parts.at(-1)!;
    if (quote !== null) quote = character === quote ? null : quote;
    else if ((character === '"' || character === "'") && /(^|[[{(,:])\s*$/.test(before)) quote = character;
    else if ('[{('.includes(character)) depth += 1;
    else if (']})'.includes(character)) depth -= 1;
    else if (character === ',' && depth === 0) {
      parts.push('');
      continue;
    }
    parts[parts.length - 1] += character;
  }
  return parts;
}

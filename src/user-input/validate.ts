import { z } from 'zod';
import { describe, InputError, SatinError } from '../errors.js';
import { isShort, nearest, quotedList } from './did-you-mean.js';
import { nameList } from './name-list.js';

/** The options of one call of `validate`. */
export interface Validation<Schema extends z.ZodType> {
  readonly schema: Schema;
  readonly input: unknown;
  /** Kind and origin of the input: `the recipe recipes/a.yaml`. */
  readonly source: string;
}

/**
 * Validates input and fills in the defaults.
 *
 * @throws {InputError} with one sentence per problem, each naming the path; for an unknown key also the nearest known
 *   one.
 */
export function validate<Schema extends z.ZodType>(options: Validation<Schema>): z.output<Schema> {
  const parsed = options.schema.safeParse(options.input, { reportInput: true });
  if (parsed.success) return parsed.data;
  const found = problemsOf(parsed.error.issues, options.schema);
  const [first] = found.sentences;
  const more = found.count - found.sentences.length;
  const lines =
    found.count === 1
      ? ` ${first}`
      : found.sentences.map((line) => `\n  ${line}`).join('') + (more > 0 ? `\n  and ${more} more.` : '');
  const count = found.count === 1 ? '' : `, ${found.count} problems`;
  throw new InputError('invalid-input', `In ${options.source}${count}:${lines}`);
}

/** Reports a SatinError from within a schema; its message is shown unchanged, so it should name the path. */
export function reportError(context: z.RefinementCtx, path: string[], error: unknown): void {
  if (!(error instanceof SatinError)) throw error;
  context.addIssue({ code: 'custom', path, message: error.message, params: { sentence: true } });
}

/** The most problems that a message tells of. */
const told = 20;

/** The first problems, one sentence each, and how many there are. */
function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  schema: z.ZodType,
): { readonly sentences: readonly string[]; readonly count: number } {
  const single = issues.flatMap((issue): z.core.$ZodIssue[] =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ ...issue, keys: [key] })) : [issue],
  );
  const sentences = new Set(single.slice(0, told).flatMap((issue) => problems(issue, schema)));
  return {
    sentences: [...sentences],
    count: single.length > told ? sentences.size + single.length - told : sentences.size,
  };
}

function problems(issue: z.core.$ZodIssue, schema: z.ZodType): string[] {
  const path = issue.path.map((key) => printable(String(key)));
  const name = path.length === 0 ? 'the root' : path.join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(key, path, sectionsAt(schema, path)));
  if (issue.code === 'custom' && issue.params?.sentence === true) return [issue.message];
  if (issue.code === 'custom' && issue.params?.expected !== true) return [`${name}: ${issue.message}`];

  const received = receivedBy(issue);
  const names = [...new Set(namesAt(issue, schema))];
  const meant = typeof received === 'string' ? nearest(received, names) : undefined;
  const expected =
    issue.code === 'invalid_type' && issue.expected === 'object'
      ? 'a section of keys'
      : meant !== undefined && !isShort(names)
        ? 'a known name'
        : issue.message;
  return [
    `Expected ${expected} for ${name} but received ${received === undefined ? 'nothing' : describe(received)}.` +
      (meant === undefined ? '' : ` Did you mean '${meant}'?`),
  ];
}

/** The received value; for a union without a matching option, the value of its discriminator, where the path ends. */
function receivedBy(issue: z.core.$ZodIssue): unknown {
  const tag = tagOf(issue);
  const { input } = issue;
  if (tag === undefined || typeof input !== 'object' || input === null) return input;
  return new Map<string, unknown>(Object.entries(input)).get(tag);
}

function tagOf(issue: z.core.$ZodIssue): string | undefined {
  return issue.code === 'invalid_union' ? issue.discriminator : undefined;
}

/** The valid names at the path of an issue. */
function namesAt(issue: z.core.$ZodIssue, schema: z.ZodType): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (tagOf(issue) === undefined) return [];
  return sectionsAt(schema, issue.path.slice(0, -1).map(String)).flatMap((section) => section.tagValues);
}

/** A key from a file, cut and without control characters. */
const printable = (key: string) => nameList([key]);

function unknownKey(key: string, path: readonly string[], sections: readonly Section[]): string {
  const name = [...path, printable(key)].join('.');
  const owners = sections.filter((section) => Object.hasOwn(section.schema.shape, key));
  const discriminator = owners[0]?.discriminator;
  if (discriminator !== undefined) {
    const values = new Set(owners.flatMap((owner) => owner.tagValues));
    return `The key '${name}' applies only if ${discriminator} is ${quotedList([...values])}.`;
  }
  const keys = [...new Set(sections.flatMap((section) => Object.keys(section.schema.shape)))];
  const meant = nearest(key, keys);
  if (meant === undefined) return `Unknown key '${name}'. The keys here are ${keys.join(', ')}.`;
  return `Unknown key '${name}'. Did you mean '${[...path, meant].join('.')}'?`;
}

/** An object schema; within a discriminated union also the discriminator and its values. */
interface Section {
  readonly schema: z.ZodObject;
  /** Full path of the discriminator. */
  readonly discriminator?: string;
  readonly tagValues: readonly string[];
}

/** All object schemas at a path: several if the path passes through a union. */
function sectionsAt(schema: unknown, path: readonly string[], above: readonly string[] = []): Section[] {
  const sections = sectionsOf(schema, above);
  const [key, ...rest] = path;
  if (key === undefined) return sections;
  return sections.flatMap(({ schema: outer, ...choice }) =>
    sectionsAt(outer.shape[key], rest, [...above, key]).map((inner) =>
      inner.discriminator === undefined ? { ...inner, ...choice } : inner,
    ),
  );
}

function sectionsOf(schema: unknown, path: readonly string[]): Section[] {
  if (schema instanceof z.ZodObject) return [{ schema, tagValues: [] }];
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const tag = schema.def.discriminator;
    return schema.options
      .filter((option) => option instanceof z.ZodObject)
      .map((option) => {
        const shape: unknown = option.shape[tag];
        const discriminator = shape instanceof z.ZodDefault ? shape.unwrap() : shape;
        const tagValues =
          discriminator instanceof z.ZodLiteral
            ? [...discriminator.values]
            : discriminator instanceof z.ZodEnum
              ? discriminator.options
              : [];
        return { schema: option, discriminator: [...path, tag].join('.'), tagValues: tagValues.map(String) };
      });
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => sectionsOf(option, path));
  if (schema instanceof z.ZodPipe) return sectionsOf(schema.in, path);
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodNullable)
    return sectionsOf(schema.unwrap(), path);
  return [];
}

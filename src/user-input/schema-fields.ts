import { z } from 'zod';
import { quotedList } from './did-you-mean.js';
import { fractionPattern, parseFraction } from './epsilon.js';

/**
 * Field types of user input. The message of each is a phrase for the expected value, which `validate.ts` turns into a
 * sentence: *Expected `message` for `path` but received ...*
 */

/** An integer of at least `minimum`. */
export function whole(minimum: number) {
  const error = `a whole number of at least ${minimum}`;
  return z.number({ error }).int({ error, abort: true }).min(minimum, { error, abort: true });
}

/** A finite number in [`minimum`, `maximum`]. */
export function between(minimum: number, maximum: number) {
  const error = `a number from ${minimum} to ${maximum}`;
  return z.number({ error }).min(minimum, { error, abort: true }).max(maximum, { error, abort: true });
}

/** A finite number of at least 0. */
export function atLeastZero() {
  const error = 'a number of at least 0';
  return z.number({ error }).min(0, { error, abort: true });
}

/** A finite number above 0. */
export function positive() {
  const error = 'a number above 0';
  return z.number({ error }).positive({ error, abort: true });
}

/** A non-empty string; `error` is a phrase for the expected value. */
export function text(error: string) {
  return z.string({ error }).min(1, { error, abort: true });
}

export function yesOrNo() {
  return z.boolean({ error: 'true or false' });
}

export function oneOf<const Names extends readonly string[]>(names: Names) {
  return z.enum(names, { error: quotedList(names) });
}

/** A number, or a text that should be a number or fraction (`8/255`); `range` says more of the number in a JSON Schema. */
export function numberOrFraction(options: {
  readonly error: string;
  readonly range: { readonly minimum: number } | { readonly exclusiveMinimum: number };
}) {
  const { error, range } = options;
  return z.union([z.number().meta({ ...range }), z.string().meta({ pattern: fractionPattern })], { error });
}

/** A distance in pixels above 0, as a number or fraction (`2/255`), converted to a number. */
export function pixelDistance() {
  const error = "a number or fraction above 0, such as '2/255',";
  return numberOrFraction({ error, range: { exclusiveMinimum: 0 } }).transform((value, context): number => {
    const parsed = parseFraction(value);
    if (parsed !== undefined && parsed > 0) return parsed;
    context.addIssue({ code: 'custom', message: error, input: value, params: { expected: true } });
    return z.NEVER;
  });
}

import { InputError } from '../errors.js';

/**
 * Parsers for commander's options and arguments. Each takes the option's name, for the sentence, and returns a
 * function of the text that throws an InputError.
 */

/** A whole number of at least `minimum`: `--examples 1000`. */
export function wholeNumber(name: string, minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < minimum)
      throw InputError.expected(`a whole number of at least ${minimum}`, name, text);
    return value;
  };
}

/** An option that may be given several times: `--set a=1 --set b=2`. */
export function several(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** @throws {InputError} for an option without which a model that is no run folder cannot be attacked. */
export function missing(option: string, expected: string): never {
  throw InputError.expected(
    expected,
    option,
    undefined,
    'A run folder brings its own; a lone checkpoint and a TorchScript file do not.',
  );
}

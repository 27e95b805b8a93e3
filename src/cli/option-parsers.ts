import { InputError } from '../errors.js';

/**
 * Parsers for commander's options and arguments. Each takes the option's name, for messages, and returns a function of
 * the text that throws an InputError.
 */

/** An integer of at least `minimum`: `--examples 1000`. */
export function wholeNumber(name: string, minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < minimum)
      throw InputError.expected(`a whole number of at least ${minimum}`, name, text);
    return value;
  };
}

/** A number from 0 to 1: `--require-robust 0.5`. */
export function shareOf(name: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d*\.?\d+$/.test(text) || value > 1)
      throw InputError.expected('a share from 0 to 1, such as 0.5,', name, text);
    return value;
  };
}

/** A repeatable option: `--set a=1 --set b=2`. */
export function several(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** Reports a missing option that only run folders provide a default for. @throws {InputError} always. */
export function missing(option: string, expected: string): never {
  throw InputError.expected(
    expected,
    option,
    undefined,
    'Only a run folder provides a default; checkpoints and TorchScript files do not.',
  );
}

import { InputError, printable } from '../errors.js';

/** Why data on disk cannot be used; `received` is a phrase, not a value to be quoted. */
export interface DatasetProblem {
  /** The file or folder. */
  readonly file: string;
  readonly expected: string;
  readonly received: string;
  /** How to fix it, as a sentence. */
  readonly remedy: string;
}

/** *Expected `expected` for `file` but received `received`. `remedy`*, with the code `unusable-data`. */
export function datasetError({ file, expected, received, remedy }: DatasetProblem): InputError {
  return new InputError(
    'unusable-data',
    printable(`Expected ${expected} for ${file} but received ${received}. ${remedy}`),
  );
}

/** The `code` of a system or zlib error (`ENOENT`, `Z_BUF_ERROR`), or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The first line of an error's message: libraries append call stacks. */
export function firstLine(error: unknown): string {
  return printable((error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!);
}

/** `1 file`, `2 files`. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? noun : plural}`;
}

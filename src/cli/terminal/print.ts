import { printableLines } from '../../errors.js';
import { coloursOf } from './colours.js';
import type { DisplayStream } from './progress-bar.js';

/** The one place, beside the display of progress, that writes to the terminal: names of files and classes reach it. */

/** Writes to standard output what is printable of `text`. */
export function print(text: string): void {
  process.stdout.write(printableLines(text));
}

/** Writes to standard error what is printable of `text`. */
export function printError(text: string): void {
  process.stderr.write(printableLines(text));
}

/** Writes to standard error that something is odd: `Warning: ` and the sentence. */
export function printWarning(sentence: string): void {
  process.stderr.write(warningText(sentence, process.stderr));
}

/** Writes to standard error why the command failed. */
export function printFailure(message: string): void {
  const { bold, red } = coloursOf(process.stderr);
  process.stderr.write(`${bold(red('satin:'))} ${printableLines(message)}\n`);
}

/** The line of a warning. */
export function warningText(sentence: string, stream: DisplayStream): string {
  return `${coloursOf(stream).yellow('Warning:')} ${printableLines(sentence)}\n`;
}

/** Writes JSON to standard output, with the controls that `JSON.stringify` leaves as they are in JSON's own escapes. */
export function printJson(text: string): void {
  process.stdout.write(
    text.replaceAll(
      /[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );
}

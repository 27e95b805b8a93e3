import { printableLines } from '../../errors.js';

/** The one place, beside the display of progress, that writes to the terminal: names of files and classes reach it. */

/** Writes to standard output what is printable of `text`. */
export function print(text: string): void {
  process.stdout.write(printableLines(text));
}

/** Writes to standard error what is printable of `text`. */
export function printError(text: string): void {
  process.stderr.write(printableLines(text));
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

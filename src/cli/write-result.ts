import { requireFilePath, writeOutputFile } from './output-file.js';
import { print, printJson } from './terminal/print.js';

/** The option `--json`: a file for the result, or `-` for standard output instead of the table. */

/** Checks `--json` before a long computation. @throws {InputError} if the result cannot be written there. */
export function requireJsonPath(json: string | undefined): void {
  if (json !== undefined && json !== '-') requireFilePath(json, '--json');
}

/**
 * Prints `table`, then writes the result to the file given by `--json`; for `-`, prints the result itself instead. The
 * table comes first: whatever happens to the file, the numbers are not lost.
 */
export function writeResult(
  result: unknown,
  { json, table }: { readonly json: string | undefined; readonly table: string },
): void {
  const text = `${JSON.stringify(result)}\n`;
  if (json === '-') printJson(text);
  else print(table);
  if (json !== undefined && json !== '-') writeOutputFile(json, text, { isNew: false });
}

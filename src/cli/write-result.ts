import { writeFileSync } from 'node:fs';
import { requireFilePath } from './output-file.js';

/** The option `--json`: a file for the result, or `-` for standard output instead of the table. */

/** Checks `--json` before a long computation. @throws {InputError} if the result cannot be written there. */
export function requireJsonPath(json: string | undefined): void {
  if (json !== undefined && json !== '-') requireFilePath(json, '--json');
}

/** Writes a result to the file given by `--json` and prints `table`, or prints the result itself for `-`. */
export function writeResult(
  result: unknown,
  { json, table }: { readonly json: string | undefined; readonly table: string },
): void {
  const text = `${JSON.stringify(result)}\n`;
  if (json !== undefined && json !== '-') writeFileSync(json, text);
  process.stdout.write(json === '-' ? text : table);
}

import { writeFileSync } from 'node:fs';
import { requireFilePath } from './output-file.js';

/** The option `--json`: a file for the result, or `-` for standard output in place of the table. */

/** @throws {InputError} where the result cannot be written there; to be asked before anything that takes long. */
export function requireJsonPath(json: string | undefined): void {
  if (json !== undefined && json !== '-') requireFilePath(json, '--json');
}

/** Writes a result to the file that `--json` names, and prints `table`, or the result itself for `-`. */
export function writeResult(
  result: unknown,
  { json, table }: { readonly json: string | undefined; readonly table: string },
): void {
  const text = `${JSON.stringify(result)}\n`;
  if (json !== undefined && json !== '-') writeFileSync(json, text);
  process.stdout.write(json === '-' ? text : table);
}

import { readFileSync, statSync } from 'node:fs';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { InputError } from '../errors.js';

/** Ten times the longest of the bundled recipes; the time to parse YAML grows with the square. */
const longest = 50_000;

/**
 * The document of a YAML or JSON file that anybody may have written; its values are not built yet. With `asText` every value
 * is a text, as it stands in the file.
 *
 * @throws {InputError} if the file is too long or is not YAML, naming the line.
 */
export function readYaml(path: string, { asText = false }: { readonly asText?: boolean } = {}): Document {
  const lines = new LineCounter();
  const { size } = statSync(path);
  // A character takes up to four bytes.
  const text = size > 4 * longest ? null : readFileSync(path, 'utf8');
  if (text === null || text.length > longest)
    throw InputError.expected(`at most ${longest} characters`, path, text?.length ?? size);
  const document = parsed(path, text, { lines, asText });
  const [problem] = document.errors;
  if (problem === undefined) return document;
  const { line } = lines.linePos(problem.pos[0]);
  const [sentence] = problem.message.split('\n');
  throw new InputError(
    'invalid-input',
    `Expected YAML in ${path} but line ${line} cannot be parsed: ${sentence?.replace(/ at line .*/, '').replace(/\.?$/, '')}.`,
  );
}

function parsed(
  path: string,
  text: string,
  { lines, asText }: { readonly lines: LineCounter; readonly asText: boolean },
): Document {
  const options = { lineCounter: lines, logLevel: 'error' } as const;
  try {
    return parseDocument(text, asText ? { ...options, schema: 'failsafe' } : options);
  } catch (error) {
    // The parser recurses.
    if (!(error instanceof RangeError)) throw error;
    throw new InputError('invalid-input', `Expected YAML in ${path} but it is nested too deep.`, {
      cause: error,
    });
  }
}

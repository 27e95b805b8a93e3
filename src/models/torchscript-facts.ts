import { z } from 'zod';
import { InputError } from '../errors.js';
import { parseJson } from '../files/parse-json.js';
import { version } from '../provenance/version.js';
import { validate } from '../user-input/validate.js';
import { zipContent, zipRecords } from '../weights/zip.js';
import { appendToZip } from '../weights/zip-append.js';
import type { ModelDescription } from './description.js';
import { arePlaceholders } from './placeholder-class-names.js';

/** What Satin's TorchScript says of itself beside the program; `torch.jit.load` returns it by `_extra_files={'satin.json': ''}`. */
export type TorchScriptFacts = Pick<ModelDescription, 'classes' | 'shape'>;

const record = 'extra/satin.json';
/** A thousand classes with long names take a tenth of it. */
const largest = 2 ** 20;

const schema = z.object({
  classes: z.array(z.string()).min(2),
  shape: z.tuple([z.int().min(1), z.int().min(1), z.int().min(1)]),
});

/** The bytes of a TorchScript archive with the facts in it. */
export function withFacts(archive: Uint8Array, { classes, shape }: TorchScriptFacts): Uint8Array {
  // The first local header: the length of its name stands at byte 26, the name at byte 30.
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const [root, ...inside] = bytes.toString('utf8', 30, 30 + bytes.readUInt16LE(26)).split('/');
  if (root === undefined || inside.length === 0)
    throw new RangeError('Expected a TorchScript archive with a folder.');
  const data = Buffer.from(JSON.stringify({ satin: version, classes, shape }));
  return appendToZip(archive, { name: `${root}/${record}`, data });
}

/**
 * The facts in a TorchScript file; null of one that Satin did not write, and null for classes that have numbers alone.
 *
 * @throws {InputError} if they are there and damaged.
 */
export function factsOf(
  path: string,
): (Pick<TorchScriptFacts, 'shape'> & { readonly classes: readonly string[] | null }) | null {
  const [found] = [...(zipRecords(path) ?? [])].filter(
    ([name]) => name.endsWith(`/${record}`) && name.split('/').length === 3,
  );
  if (found === undefined) return null;
  const [name, entry] = found;
  const bytes = entry.isStored && entry.size <= largest ? zipContent(path, entry) : null;
  const source = `the record ${name} of ${path}`;
  if (bytes === null) throw new InputError('broken-file', `Expected ${source} to be readable but it is not.`);
  let input: unknown;
  try {
    input = parseJson(bytes.toString('utf8'));
  } catch (error) {
    throw InputError.expected('JSON', source, error);
  }
  const { classes, shape } = validate({ schema, input, source });
  return { classes: arePlaceholders(classes) ? null : classes, shape };
}

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { InputError } from '../errors.js';
import { zipNames } from '../export/zip-names.js';
import type { InputForm } from './input-form.js';

/** What a user may name as MODEL: Satin's own (a run folder, a checkpoint, a weights file), or TorchScript. */
export type ModelKind = 'satin' | 'torchscript';

/**
 * Which of the two a path is: TorchScript is recognised by its content, whatever its name. Loads no engine, and leaves the
 * rest of a file to who reads it.
 *
 * @throws {InputError} where it is neither; what only Python can read is told apart.
 */
export function modelKind(path: string): ModelKind {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind?.isDirectory()) return 'satin';
  const start = kind?.isFile() ? firstBytes(path) : Buffer.alloc(0);
  if (start.subarray(0, oldPickle.length).equals(oldPickle)) throw unusable(path, whatPickleHolds);
  if (start.subarray(0, zipSignature.length).equals(zipSignature)) {
    requireScript(path);
    return 'torchscript';
  }
  if (kind?.isFile() && /\.(safetensors|json)$/.test(path)) return 'satin';
  throw InputError.expected(
    'a run folder with a checkpoint, the JSON of a checkpoint, a .safetensors file or a TorchScript file',
    'the model',
    path,
    kind === undefined ? 'There is no such file.' : undefined,
  );
}

/** @throws {InputError} where an input form is stated for a model of Satin, which brings its own. */
export function requireInputTakes(
  kind: ModelKind,
  { path, input }: { readonly path: string; readonly input: InputForm | null },
): void {
  if (kind === 'satin' && input !== null)
    throw InputError.expected(
      'a TorchScript file',
      '--input-range, --mean and --std',
      path,
      'It is a model of Satin: it takes pixels in [0, 1], and its normalisation is its first layer.',
    );
}

const zipSignature = Buffer.from('PK\x03\x04', 'latin1');
/** How torch.save began before PyTorch 1.6: a pickled magic number. */
const oldPickle = Buffer.from('80028a0a6cfc9c46f9206aa85019', 'hex');

const whatPickleHolds =
  'weights without a network, or a network that only Python can read, as torch.save writes them';

/** @throws {InputError} where a zip archive holds something else than TorchScript. What cannot be told is left to libtorch. */
function requireScript(path: string): void {
  const names = zipNames(path)?.map((name) => name.slice(name.indexOf('/') + 1));
  if (names === undefined || names.includes('constants.pkl')) return;
  if (names.includes('data.pkl')) throw unusable(path, whatPickleHolds);
  if (names.some((name) => /^(archive_format|serialized_exported_program|models\/)/.test(name)))
    throw unusable(path, 'a program that torch.export saved');
  throw unusable(path, 'no TorchScript');
}

function unusable(path: string, what: string): InputError {
  return InputError.expected(
    'a TorchScript file',
    'the model',
    path,
    `It holds ${what}. In Python: torch.jit.trace(model.eval(), images).save('model.pt').`,
  );
}

function firstBytes(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(oldPickle.length);
    return bytes.subarray(0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

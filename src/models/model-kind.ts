import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { readSafetensorsMetadata } from '../weights/safetensors.js';
import { isSafetensors } from '../weights/safetensors-signature.js';
import { isTensorFlowCheckpoint } from '../weights/tensorflow/checkpoint.js';
import { zipRecords } from '../weights/zip.js';

/**
 * Kinds of MODEL argument: Satin's own (a run folder, a checkpoint, a weights file), TorchScript, or external weights,
 * which do not describe their architecture.
 */
export type ModelKind = 'satin' | 'torchscript' | 'weights';

/**
 * Detects the kind of a path from its first bytes, not its name, except for the prefix of a TensorFlow checkpoint. Does not load the engine or validate the rest of the
 * file.
 *
 * @throws {InputError} for any other file, with specific messages for formats that only Python can read.
 */
export function modelKind(path: string): ModelKind {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (isTensorFlowCheckpoint(path)) return 'weights';
  if (kind?.isDirectory()) {
    if (isHuggingFaceFolder(path)) throw traced(path, 'a folder of Hugging Face', huggingFaceLines);
    return 'satin';
  }
  const start = kind?.isFile() ? firstBytes(path) : Buffer.alloc(0);
  if (oldPickle.test(start.toString('hex')) || isTar(start)) return 'weights';
  if (start.subarray(0, zipSignature.length).equals(zipSignature)) return kindInZip(path);
  if (kind?.isFile() && path.endsWith('.json')) return 'satin';
  if (kind?.isFile() && path.endsWith('.onnx')) throw traced(path, 'an ONNX file', onnxLines);
  if (kind?.isFile() && (path.endsWith('.safetensors') || isSafetensors(path))) {
    const { satin, model } = readSafetensorsMetadata(path);
    return satin !== undefined && model !== undefined ? 'satin' : 'weights';
  }
  throw InputError.expected(
    'a run folder with a checkpoint, the JSON of a checkpoint, a .safetensors file, a PyTorch state dict, the prefix of a TensorFlow checkpoint or a TorchScript file',
    'the model',
    path,
    kind === undefined ? 'The file does not exist.' : prefixRemedy(path),
  );
}

/** For a file of a TensorFlow checkpoint in place of its prefix. */
function prefixRemedy(path: string): string | undefined {
  const prefix = path.replace(/\.(index|meta|data-\d{5}-of-\d{5})$/, '');
  return prefix !== path && isTensorFlowCheckpoint(prefix) ? `Name the checkpoint: ${prefix}.` : undefined;
}

const zipSignature = Buffer.from('PK\x03\x04', 'latin1');
/**
 * First bytes of torch.save before PyTorch 1.6, and of its legacy format since: a pickled magic number, in a frame from
 * protocol 4 on.
 */
const oldPickle = /^800[2-5](?:95.{16})?8a0a6cfc9c46f9206aa85019/;

/** A folder written by `save_pretrained`, of transformers or timm. */
function isHuggingFaceFolder(path: string): boolean {
  const has = (name: string) => existsSync(join(path, name));
  const weights = ['model.safetensors', 'pytorch_model.bin', 'model.safetensors.index.json'];
  return has('config.json') && weights.some(has);
}

const huggingFaceLines =
  'load it with the library that wrote it (transformers: wrap it in a module whose forward returns self.net(x).logits), then';
const onnxLines =
  'load the network that it was exported from, or convert the file by onnx2torch.convert(path), then';

function traced(path: string, what: string, before: string): InputError {
  return InputError.expected(
    'a TorchScript file or weights',
    'the model',
    path,
    `It is ${what}, which Satin does not read. In Python: ${before} torch.jit.trace(net.eval(), images).save('model.pt').`,
  );
}

/** The format before the pickled one was a tar archive. */
function isTar(start: Buffer): boolean {
  return start.toString('latin1', 257, 262) === 'ustar';
}

/** @throws {InputError} for a zip archive of another kind. Undetermined archives are passed to libtorch. */
function kindInZip(path: string): ModelKind {
  const names = [...(zipRecords(path)?.keys() ?? [])].map((name) => name.slice(name.indexOf('/') + 1));
  if (names.length === 0 || names.includes('constants.pkl')) return 'torchscript';
  if (names.some((name) => /^(archive_format|serialized_exported_program|models\/)/.test(name)))
    throw unusable(path, 'a program saved by torch.export');
  if (names.includes('data.pkl')) return 'weights';
  throw unusable(path, 'no TorchScript program');
}

function unusable(path: string, what: string): InputError {
  return InputError.expected(
    'a TorchScript file',
    'the model',
    path,
    `It contains ${what}. In Python: torch.jit.trace(model.eval(), images).save('model.pt').`,
  );
}

function firstBytes(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(512);
    return bytes.subarray(0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

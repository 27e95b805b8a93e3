import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { describe, InputError } from '../errors.js';
import {
  removeTemporaryFiles,
  type WriteBytes,
  writeFileDurably,
  writeJsonDurably,
} from '../files/durable-file.js';
import { makeSubfolder } from '../files/make-folder.js';
import { parseJson } from '../files/parse-json.js';
import { type ModelDescription, modelDescriptionSchema } from '../models/description.js';
import { version } from '../provenance/version.js';
import { requireArgument } from '../user-input/require-argument.js';
import { text, whole } from '../user-input/schema-fields.js';
import { validate } from '../user-input/validate.js';
import {
  type NamedArray,
  readSafetensors,
  type Safetensors,
  type SafetensorsMetadata,
  safetensorsParts,
} from '../weights/safetensors.js';
import { isSafetensors } from '../weights/safetensors-signature.js';

/**
 * Checkpoints on disk. `checkpoints/last.json` names the files of a checkpoint and their digests; renaming it into
 * place commits the checkpoint. Each checkpoint uses new file names, so the previous one stays intact until then and is
 * removed afterwards. The meaning of `state` is up to the trainer.
 */
export type CheckpointName = 'last' | 'best' | 'healthy';

export interface WriteCheckpointOptions {
  /** The run folder, which exists: one that was removed meanwhile is not made again. */
  readonly run: string;
  readonly name: CheckpointName;
  /** Number of steps done; part of the file names. */
  readonly step: number;
  readonly model: ModelDescription;
  readonly weights: readonly NamedArray[];
  readonly optimizer?: readonly NamedArray[];
  /** Any other state needed to resume, JSON-serialisable. */
  readonly state: unknown;
  /** @default fs.writeSync */
  readonly write?: WriteBytes;
}

/**
 * Writes a checkpoint, then removes the previous one of the same name. If the process is killed, one of the two is
 * intact.
 *
 * @returns the digest of the weights file.
 * @throws InputError 'disk-full'; the previous checkpoint is then intact and the new one is removed.
 */
export function writeCheckpoint(options: WriteCheckpointOptions): { readonly weightsDigest: string } {
  const { name, step, state, write } = options;
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(state)), state))
    throw new TypeError(
      'The state of a checkpoint must be JSON-serialisable: no undefined, NaN or Infinity.',
    );
  const folder = join(options.run, checkpointsFolder);
  makeSubfolder(folder);
  removeTemporaryFiles(folder);
  const stem = freeStem(folder, `${name}-${step}`);
  const writeArrays = (
    file: string,
    arrays: readonly NamedArray[],
    metadata: SafetensorsMetadata,
  ): FileEntry => {
    const parts = safetensorsParts(arrays, metadata);
    writeFileDurably(join(folder, file), parts, write);
    return { file, digest: digestOf(parts) };
  };
  try {
    const metadata = weightsMetadata(options.model, options.weights);
    const weights = writeArrays(`${stem}.safetensors`, options.weights, metadata);
    const optimizer =
      options.optimizer === undefined
        ? null
        : writeArrays(`${stem}.optimizer.safetensors`, options.optimizer, {});
    const content: Content = { satin: version, step, weights, optimizer, state };
    writeJsonDurably(join(folder, `${name}.json`), { digest: digestOfContent(content), content }, write);
    return { weightsDigest: weights.digest };
  } finally {
    // Whether it succeeded or not, remove the files that the JSON does not reference.
    removeUnnamed(folder, name);
  }
}

/**
 * Writes a standalone weights file: safetensors with PyTorch's parameter names and the model description in the
 * metadata, so that `readCheckpoint` needs nothing else. Overwrites an existing file.
 *
 * @throws InputError 'disk-full'; the file is then removed.
 */
export function writeWeights(
  path: string,
  { model, weights }: Pick<WriteCheckpointOptions, 'model' | 'weights'>,
): void {
  writeFileDurably(path, safetensorsParts(weights, weightsMetadata(model, weights)));
}

export interface Checkpoint {
  /** The version of Satin that wrote it. */
  readonly satin: string;
  readonly model: ModelDescription;
  readonly weights: readonly NamedArray[];
  /** Digest of the weights file: `sha256:` and 64 hexadecimal digits. */
  readonly weightsDigest: string;
  readonly weightsFile: string;
  /** The content of the checkpoint's JSON; null for a standalone weights file. */
  readonly progress: CheckpointProgress | null;
}

export interface CheckpointProgress {
  /** Number of steps done. */
  readonly step: number;
  /** As passed to `writeCheckpoint`; not validated. */
  readonly state: unknown;
  /** null if none was written. */
  readonly optimizer: readonly NamedArray[] | null;
}

export interface ReadCheckpointOptions {
  /** A run folder, the JSON of a checkpoint, or a standalone weights file. */
  readonly path: string;
  /** For a run folder: the checkpoint names to try, in order. @default ['best', 'last'] */
  readonly names?: readonly CheckpointName[];
}

/**
 * Reads a checkpoint and verifies every digest.
 *
 * @throws InputError naming the file, and another checkpoint if there is one, if a digest differs or the file is
 *   truncated.
 */
export function readCheckpoint(options: ReadCheckpointOptions): Checkpoint {
  requireArgument(options, 'options', 'readCheckpoint');
  const { path, names = ['best', 'last'] } = options;
  requireArgument(path, 'text', 'the path of a checkpoint');
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind?.isFile() && (path.endsWith('.safetensors') || isSafetensors(path)))
    return { ...readWeights(path), progress: null };
  if (kind?.isFile() && path.endsWith('.json')) return readNamed(path);
  const files = names.map((name) => join(path, checkpointsFolder, `${name}.json`));
  const file = files.find((candidate) => existsSync(candidate));
  if (file !== undefined) return readNamed(file);
  const expected = 'a run folder with a checkpoint, the JSON of a checkpoint or a .safetensors file';
  throw InputError.expected(
    expected,
    'the model',
    path,
    kind?.isDirectory() ? 'It contains no checkpoint.' : undefined,
  );
}

const checkpointsFolder = 'checkpoints';

const fileEntrySchema = z.strictObject({
  // A base name only: the record must not reference files elsewhere.
  file: z.string().regex(/^[\w.-]+\.safetensors$/, { error: 'the name of a .safetensors file' }),
  digest: text('a digest'),
});

const contentSchema = z.strictObject({
  satin: text('a version'),
  step: whole(0),
  weights: fileEntrySchema,
  optimizer: fileEntrySchema.nullable(),
  state: z.unknown(),
});

const recordSchema = z.strictObject({ digest: text('a digest'), content: contentSchema });

type FileEntry = z.output<typeof fileEntrySchema>;
type Content = z.output<typeof contentSchema>;

function readNamed(path: string): Checkpoint {
  const json = readFileSync(path, 'utf8');
  try {
    const { step, weights, optimizer, state } = parseRecord(json, path);
    return {
      ...readWeights(join(dirname(path), weights.file), weights.digest),
      progress: {
        step,
        state,
        optimizer: optimizer && readVerified(join(dirname(path), optimizer.file), optimizer.digest).arrays,
      },
    };
  } catch (error) {
    // The run may have written its next checkpoint, and removed these files, in the meantime.
    if (readFileSync(path, 'utf8') !== json) return readNamed(path);
    throw error instanceof InputError ? withAlternative(error, path) : error;
  }
}

function parseRecord(json: string, path: string): Content {
  let input: unknown;
  try {
    input = parseJson(json);
  } catch (error) {
    throw damaged(path, `it is not JSON: ${describe(error)}`);
  }
  const record = validate({ schema: recordSchema, input, source: `the checkpoint ${path}` });
  if (digestOfContent(record.content) !== record.digest)
    throw damaged(path, 'its content does not match its digest');
  return record.content;
}

function readWeights(path: string, digest?: string): Omit<Checkpoint, 'progress'> {
  const { metadata, arrays, digest: weightsDigest } = readVerified(path, digest);
  const { satin, model, digest: storedDigest, ...others } = metadata;
  if (
    satin === undefined ||
    model === undefined ||
    storedDigest === undefined ||
    Object.keys(others).length > 0
  )
    throw InputError.expected(
      'weights written by Satin, with satin, model and digest in the metadata,',
      'the model',
      path,
    );
  if (digestOf(safetensorsParts(arrays, { satin, model })) !== storedDigest)
    throw damaged(path, 'its content does not match its digest');
  return {
    satin,
    model: parseDescription(model, path),
    weights: arrays,
    weightsDigest,
    weightsFile: path,
  };
}

function parseDescription(json: string, path: string): ModelDescription {
  let input: unknown;
  try {
    input = parseJson(json);
  } catch (error) {
    throw damaged(path, `the description of its network is not JSON: ${describe(error)}`);
  }
  return validate({ schema: modelDescriptionSchema, input, source: `the metadata of ${path}` });
}

function readVerified(path: string, digest: string | undefined): Safetensors {
  const file = readSafetensors(path);
  if (digest !== undefined && file.digest !== digest)
    throw damaged(path, `its digest is ${file.digest} instead of ${digest}`);
  return file;
}

/** Metadata that makes a weights file self-describing and verifiable. */
function weightsMetadata(description: ModelDescription, weights: readonly NamedArray[]): SafetensorsMetadata {
  // Parsing fixes the order of the keys, so that equal models yield equal files.
  const model = JSON.stringify(modelDescriptionSchema.parse(description));
  const metadata = { satin: version, model };
  return { ...metadata, digest: digestOf(safetensorsParts(weights, metadata)) };
}

function digestOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return `sha256:${hash.digest('hex')}`;
}

/** The digest of the content with a fixed key order. */
function digestOfContent({ satin, step, weights, optimizer, state }: Content): string {
  return digestOf([Buffer.from(JSON.stringify([satin, step, weights, optimizer, state]))]);
}

/** An unused file name stem: rewriting a step must not overwrite files that the JSON references. */
function freeStem(folder: string, stem: string): string {
  const files = readdirSync(folder);
  const isFree = (candidate: string) => !files.some((file) => file.startsWith(`${candidate}.`));
  for (let count = 2; !isFree(stem); count++) stem = stem.replace(/(-\d+)(_\d+)?$/, `$1_${count}`);
  return stem;
}

function removeUnnamed(folder: string, name: CheckpointName): void {
  const path = join(folder, `${name}.json`);
  const json = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const pattern = new RegExp(`^${name}-\\d+(_\\d+)?(\\.optimizer)?\\.safetensors$`);
  for (const file of readdirSync(folder))
    if (pattern.test(file) && !json.includes(`"${file}"`)) rmSync(join(folder, file), { force: true });
}

function damaged(path: string, what: string): InputError {
  return new InputError('broken-file', `Expected an undamaged checkpoint in ${path} but ${what}.`);
}

function withAlternative(error: InputError, path: string): InputError {
  const other = ['best.json', 'last.json', 'healthy.json']
    .filter((file) => file !== basename(path))
    .map((file) => join(dirname(path), file))
    .find((file) => existsSync(file));
  const alternative = other === undefined ? 'There is no other checkpoint.' : `Use ${other} instead.`;
  return new InputError(error.code, `${error.message} ${alternative}`, { cause: error });
}

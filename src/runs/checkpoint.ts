import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../errors.js';
import {
  removeTemporaryFiles,
  type WriteBytes,
  writeFileDurably,
  writeJsonDurably,
} from '../files/durable-file.js';
import { type ModelDescription, modelDescriptionSchema } from '../models/description.js';
import { version } from '../provenance/version.js';
import { text, whole } from '../user-input/schema-fields.js';
import { validate } from '../user-input/validate.js';
import {
  type NamedArray,
  readSafetensors,
  type Safetensors,
  type SafetensorsMetadata,
  safetensorsParts,
} from '../weights/safetensors.js';

/**
 * Checkpoints on disk. `checkpoints/last.json` names the files that belong together and their digests; that it
 * is renamed into place is the moment a checkpoint exists. Files have a new name each time, so the checkpoint
 * before stays whole until then, and is removed after. What the state means is the trainer's business.
 */
export type CheckpointName = 'last' | 'best' | 'healthy';

export interface WriteCheckpointOptions {
  /** The run folder. */
  readonly run: string;
  readonly name: CheckpointName;
  /** Steps done; a part of the files' names. */
  readonly step: number;
  readonly model: ModelDescription;
  readonly weights: readonly NamedArray[];
  readonly optimizer?: readonly NamedArray[];
  /** Whatever else the trainer needs to go on, as JSON keeps it. */
  readonly state: unknown;
  /** @default fs.writeSync */
  readonly write?: WriteBytes;
}

/**
 * Writes a checkpoint, then removes the one before of the same name. Killed at any moment, one of the two is
 * whole.
 *
 * @returns the digest of the weights file.
 * @throws InputError 'disk-full'; the checkpoint before is intact then, and nothing of the new one stays.
 */
export function writeCheckpoint(options: WriteCheckpointOptions): { readonly weightsDigest: string } {
  const { name, step, state, write } = options;
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(state)), state))
    throw new TypeError('The state of a checkpoint must be what JSON keeps: no undefined, NaN or Infinity.');
  const folder = join(options.run, checkpointsFolder);
  mkdirSync(folder, { recursive: true });
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
    // Of the new files and the old ones, those that the JSON does not name: whether all went well or not.
    removeUnnamed(folder, name);
  }
}

/**
 * Writes a lone weights file: safetensors with PyTorch's names, and the description of the model in the metadata, so that
 * `readCheckpoint` needs nothing else. One that exists is overwritten.
 *
 * @throws InputError 'disk-full'; nothing of the file stays then.
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
  /** Of the weights file: `sha256:` and 64 hexadecimal digits. */
  readonly weightsDigest: string;
  readonly weightsFile: string;
  /** What the JSON beside the weights holds; null for a lone weights file. */
  readonly progress: CheckpointProgress | null;
}

export interface CheckpointProgress {
  /** Steps done. */
  readonly step: number;
  /** As it was given to `writeCheckpoint`; to be validated by who uses it. */
  readonly state: unknown;
  /** null where none was written. */
  readonly optimizer: readonly NamedArray[] | null;
}

export interface ReadCheckpointOptions {
  /** A run folder, the JSON of a checkpoint, or a lone weights file. */
  readonly path: string;
  /** Which of a run folder's checkpoints: the first of these that exists. @default ['best', 'last'] */
  readonly names?: readonly CheckpointName[];
}

/**
 * Reads a checkpoint and verifies every digest.
 *
 * @throws InputError that names the file and another checkpoint, if there is one, where a byte differs or the
 *   file is cut short.
 */
export function readCheckpoint({ path, names = ['best', 'last'] }: ReadCheckpointOptions): Checkpoint {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind?.isFile() && path.endsWith('.safetensors')) return { ...readWeights(path), progress: null };
  if (kind?.isFile() && path.endsWith('.json')) return readNamed(path);
  const files = names.map((name) => join(path, checkpointsFolder, `${name}.json`));
  const file = files.find((candidate) => existsSync(candidate));
  if (file !== undefined) return readNamed(file);
  const expected = 'a run folder with a checkpoint, the JSON of a checkpoint or a .safetensors file';
  throw InputError.expected(
    expected,
    'the model',
    path,
    kind?.isDirectory() ? 'No checkpoint is in it.' : undefined,
  );
}

const checkpointsFolder = 'checkpoints';

const fileEntrySchema = z.strictObject({
  // A plain name: a record must not lead to files elsewhere.
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
    // The run may have written its next checkpoint, and removed these files, while they were read.
    if (readFileSync(path, 'utf8') !== json) return readNamed(path);
    throw error instanceof InputError ? withAdvice(error, path) : error;
  }
}

function parseRecord(json: string, path: string): Content {
  let input: unknown;
  try {
    input = JSON.parse(json);
  } catch {
    throw damaged(path, 'it is no JSON');
  }
  const record = validate({ schema: recordSchema, input, source: `the checkpoint ${path}` });
  if (digestOfContent(record.content) !== record.digest)
    throw damaged(path, 'its content does not fit its digest');
  return record.content;
}

function readWeights(path: string, digest?: string): Omit<Checkpoint, 'progress'> {
  const { metadata, arrays, digest: weightsDigest } = readVerified(path, digest);
  const { satin, model, digest: own, ...others } = metadata;
  if (satin === undefined || model === undefined || own === undefined || Object.keys(others).length > 0)
    throw InputError.expected(
      'weights that Satin wrote, with satin, model and digest in the metadata,',
      'the model',
      path,
    );
  if (digestOf(safetensorsParts(arrays, { satin, model })) !== own)
    throw damaged(path, 'its content does not fit its digest');
  const input: unknown = JSON.parse(model);
  return {
    satin,
    model: validate({ schema: modelDescriptionSchema, input, source: `the metadata of ${path}` }),
    weights: arrays,
    weightsDigest,
    weightsFile: path,
  };
}

function readVerified(path: string, digest: string | undefined): Safetensors {
  const file = readSafetensors(path);
  if (digest !== undefined && file.digest !== digest)
    throw damaged(path, `its digest is ${file.digest} and not ${digest}`);
  return file;
}

/** Metadata with which a lone file tells what it is and whether it is whole. */
function weightsMetadata(description: ModelDescription, weights: readonly NamedArray[]): SafetensorsMetadata {
  // Parsed, so that the keys have one order: equal models make equal files.
  const model = JSON.stringify(modelDescriptionSchema.parse(description));
  const metadata = { satin: version, model };
  return { ...metadata, digest: digestOf(safetensorsParts(weights, metadata)) };
}

function digestOf(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return `sha256:${hash.digest('hex')}`;
}

/** Keys in one order, whoever made the object. */
function digestOfContent({ satin, step, weights, optimizer, state }: Content): string {
  return digestOf([Buffer.from(JSON.stringify([satin, step, weights, optimizer, state]))]);
}

/** A name that no file has: a step that is written twice must not touch what the JSON names. */
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
  return new InputError('broken-file', `Expected an undamaged checkpoint in ${path}, but ${what}.`);
}

function withAdvice(error: InputError, path: string): InputError {
  const other = ['best.json', 'last.json', 'healthy.json']
    .filter((file) => file !== basename(path))
    .map((file) => join(dirname(path), file))
    .find((file) => existsSync(file));
  const advice = other === undefined ? 'No other checkpoint is beside it.' : `Use ${other} instead.`;
  return new InputError(error.code, `${error.message} ${advice}`, { cause: error });
}

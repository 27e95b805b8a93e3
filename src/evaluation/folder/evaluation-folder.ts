import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import { InputError } from '../../errors.js';
import {
  explainWriteError,
  removeTemporaryFiles,
  writeFileDurably,
  writeJsonDurably,
  writeWhole,
} from '../../files/durable-file.js';
import { acquireLock } from '../../files/lock.js';
import { Ledger, type LedgerEntry } from '../ledger.js';
import type { EvaluationResult } from '../result.js';
import { foundBytes, foundFile, writeAdversarial, writeOriginals } from './images.js';
import {
  type EvaluationManifest,
  isEvaluationFolder,
  manifestFile,
  readEvaluationManifest,
  requireSameEvaluation,
} from './manifest.js';
import { type EvaluationLine, parseLines, toEntry, toLine } from './verdict-lines.js';

const linesFile = 'verdicts.jsonl';

/** The folder of an evaluation that this process writes. Nothing in it is lost but the batch in progress. */
export interface EvaluationFolder extends Disposable {
  readonly path: string;
  readonly manifest: EvaluationManifest;
  /** What was found before, and keeps what is found from now on. */
  readonly ledger: Ledger;
  /** Writes what other programs read: `evaluation.json` and `adversarial.safetensors`. */
  finish(result: EvaluationResult): void;
  /** Gives the folder free for other processes. */
  [Symbol.dispose](): void;
}

/** @throws {InputError} where an evaluation cannot begin in this folder; to be asked before anything that takes long. */
export function requireUnusedFolder(path: string, name: string): void {
  if (!existsSync(path)) return;
  // What a process leaves that was killed while it made the folder: the manifest comes last.
  const early = /^(lock|lock\.\d+|originals\.safetensors|verdicts\.jsonl|images\.f32|.*\.tmp)$/;
  if (statSync(path).isDirectory() && readdirSync(path).every((file) => early.test(file))) return;
  const remedy = isEvaluationFolder(path) ? 'Use --resume to go on with the evaluation in it.' : undefined;
  throw InputError.expected('a folder that is empty or does not exist yet', name, path, remedy);
}

/**
 * Makes the folder of a new evaluation: the images and what is measured are in it before the first attack.
 *
 * @throws {InputError} where it holds something already, or another process writes it.
 */
export function createEvaluationFolder(
  path: string,
  { data, manifest }: { readonly data: Dataset; readonly manifest: EvaluationManifest },
): EvaluationFolder {
  requireUnusedFolder(path, '--save-adversarial');
  mkdirSync(path, { recursive: true });
  const lock = acquireLock(path);
  try {
    requireUnusedFolder(path, '--save-adversarial');
    writeOriginals(path, data);
    writeFileDurably(join(path, linesFile), []);
    writeFileDurably(join(path, foundFile), []);
    writeJsonDurably(manifestFile(path), manifest);
    return open({ path, data, manifest, lines: [], release: lock.release });
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Opens the folder of an evaluation to go on where it ended, or to find that all is done.
 *
 * @throws {InputError} where `settings` are others (naming the first that differs), or another process writes it.
 */
export function resumeEvaluationFolder(
  path: string,
  options: {
    readonly data: Dataset;
    readonly settings: EvaluationManifest['evaluation'];
    /** Where somebody says it; with another size the numbers would not repeat to the bit. */
    readonly batch: number | 'auto';
  },
): EvaluationFolder {
  const { data, settings, batch } = options;
  const manifest = readEvaluationManifest(path, '--resume');
  requireSameEvaluation(path, { before: manifest.evaluation, now: settings });
  const { chosen } = manifest;
  if (batch !== 'auto' && batch !== chosen.batch)
    throw InputError.expected(`${chosen.batch}, as the evaluation began,`, '--batch', batch, 'Leave it out.');
  const lock = acquireLock(path);
  try {
    removeTemporaryFiles(path);
    const images = foundBytes(path);
    const { lines, bytes, count } = wholeLines(path, Math.floor(images.length / imageBytes(data)));
    // Both files end behind what is whole in both.
    truncateSync(join(path, linesFile), bytes);
    writeFileDurably(join(path, foundFile), [images.subarray(0, count * imageBytes(data))]);
    return open({ path, data, manifest, lines, release: lock.release });
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** What an evaluation has found so far, or at its end: its lines, and the images that they number. */
export function readFound(
  path: string,
  shape: Dataset['shape'],
): { readonly lines: readonly EvaluationLine[]; readonly imageOf: (number: number) => Float32Array } {
  const images = foundBytes(path);
  const length = imageBytes({ shape });
  const { lines } = wholeLines(path, Math.floor(images.length / length));
  return { lines, imageOf: (number) => imageAt(images, number * length, length) };
}

interface OpenOptions {
  readonly path: string;
  readonly data: Dataset;
  readonly manifest: EvaluationManifest;
  readonly lines: readonly EvaluationLine[];
  readonly release: () => void;
}

function open({ path, data, manifest, lines: before, release }: OpenOptions): EvaluationFolder {
  const { ids, labels, shape } = data;
  const { imageOf } = readFound(path, shape);
  const places = new Map(Array.from(ids, (id, place) => [id, place]));
  const placeOf = (id: number) => {
    const place = places.get(id);
    if (place === undefined)
      throw new InputError('broken-file', `Expected ids of ${data.name} in ${path}, but ${id} is none.`);
    return place;
  };
  const lines = [...before];
  const entries = before.map((line) => toEntry(line, placeOf, imageOf));
  const images = openAppended(join(path, foundFile));
  const text = openAppended(join(path, linesFile));
  let count = before.filter(({ type }) => type === 'broken').length;

  const write = (fresh: readonly LedgerEntry[]) => {
    const pixels: Uint8Array[] = [];
    const added = fresh.map((entry) => {
      if (entry.type === 'broken') {
        const { buffer, byteOffset, byteLength } = entry.image;
        pixels.push(new Uint8Array(buffer, byteOffset, byteLength));
      }
      return toLine(entry, ids, count + pixels.length - 1);
    });
    images.append(pixels); // first, so that no line names an image that is not there
    text.append([Buffer.from(added.map((line) => `${JSON.stringify(line)}\n`).join(''))]);
    count += pixels.length;
    lines.push(...added);
    if (!fresh.some(({ type }) => type === 'cost')) return;
    images.sync(); // a batch is done: it outlasts a loss of power too
    text.sync();
  };

  let isOpen = true;
  return {
    path,
    manifest,
    ledger: new Ledger({ entries, write }),
    finish(result) {
      const names = result.attacks.map(({ name }) => name);
      const found = lines.flatMap((line) => {
        if (line.type !== 'broken') return [];
        return { id: line.id, label: labels[placeOf(line.id)]!, attack: names.indexOf(line.attack) };
      });
      writeAdversarial(path, { found, shape, settings: manifest.evaluation, attacks: names });
      writeJsonDurably(join(path, 'evaluation.json'), result);
      rmSync(join(path, foundFile)); // adversarial.safetensors holds the same
    },
    [Symbol.dispose]() {
      if (!isOpen) return;
      isOpen = false;
      images.close();
      text.close();
      release();
    },
  };
}

/** The lines up to the first that names an image which is not there, as after a loss of power. */
function wholeLines(
  path: string,
  images: number,
): { readonly lines: EvaluationLine[]; readonly bytes: number; readonly count: number } {
  const file = join(path, linesFile);
  const text = readFileSync(file, 'utf8');
  const all = parseLines(text, file);
  const torn = all.findIndex((line) => line.type === 'broken' && line.image >= images);
  const lines = torn < 0 ? all : all.slice(0, torn);
  const kept = text.split('\n').slice(0, lines.length);
  return {
    lines,
    bytes: kept.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0),
    count: lines.filter(({ type }) => type === 'broken').length,
  };
}

function imageBytes({ shape }: Pick<Dataset, 'shape'>): number {
  return shape.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT);
}

/** A copy: the bytes may lie at any place, and a Buffer's `slice` would share them. */
function imageAt(bytes: Uint8Array, start: number, length: number): Float32Array {
  return new Float32Array(new Uint8Array(bytes.subarray(start, start + length)).buffer);
}

/** A file that only grows. */
function openAppended(path: string) {
  const file = openSync(path, 'a');
  let length = statSync(path).size;
  return {
    /** @throws {InputError} 'disk-full'; what did not fit is taken back. */
    append(parts: readonly Uint8Array[]): void {
      try {
        for (const part of parts) writeWhole(file, part);
        length += parts.reduce((sum, part) => sum + part.length, 0);
      } catch (error) {
        ftruncateSync(file, length);
        throw explainWriteError(path, error);
      }
    },
    sync: () => fsyncSync(file),
    close: () => closeSync(file),
  };
}

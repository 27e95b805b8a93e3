import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import { InputError } from '../../errors.js';
import { writeJsonDurably, writeWhole } from '../../files/durable-file.js';
import { explainWriteError } from '../../files/system-error.js';
import { Ledger, type LedgerEntry } from '../ledger.js';
import type { EvaluationResult } from '../result.js';
import { foundBytes, foundFile, writeAdversarial } from './images.js';
import type { EvaluationManifest } from './manifest.js';
import { placesOfIds } from './place-of-id.js';
import { type EvaluationLine, parseLines, requireKnown, toEntry, toLine } from './verdict-lines.js';

export const linesFile = 'verdicts.jsonl';
/** The result of a finished evaluation. */
export const resultFile = 'evaluation.json';

/** An evaluation folder opened for writing. Only the batch in progress can be lost. */
export interface EvaluationFolder extends Disposable {
  readonly path: string;
  readonly manifest: EvaluationManifest;
  /** Holds the stored verdicts and records new ones. */
  readonly ledger: Ledger;
  /** Writes the results, `evaluation.json` and `adversarial.safetensors`. */
  finish(result: EvaluationResult): void;
  /** Releases the lock on the folder. */
  [Symbol.dispose](): void;
}

/**
 * The verdicts of an evaluation, complete or not, and the images they refer to.
 *
 * @throws {InputError} if a verdict is not of this evaluation, or a finished one lacks images.
 */
export function readFound(
  path: string,
  data: Dataset,
  manifest: EvaluationManifest,
): { readonly lines: readonly EvaluationLine[]; readonly imageOf: (number: number) => Float32Array } {
  const images = foundBytes(path, data.shape);
  const length = imageBytes(data);
  const { lines } = completeLines(path, Math.floor(images.length / length));
  requireKnown(lines, { path: join(path, linesFile), manifest, data });
  return { lines, imageOf: (number) => imageAt(images, number * length, length) };
}

/** Whether the evaluation in a folder is finished. */
export function isFinishedEvaluation(path: string): boolean {
  return existsSync(join(path, resultFile));
}

export interface OpenOptions {
  readonly path: string;
  readonly data: Dataset;
  readonly manifest: EvaluationManifest;
  readonly lines: readonly EvaluationLine[];
  readonly release: () => void;
}

/** Opens the folder for appending after `lines`, which are complete; the caller holds its lock. */
export function openEvaluationFolder({
  path,
  data,
  manifest,
  lines: before,
  release,
}: OpenOptions): EvaluationFolder {
  const { ids, labels, shape } = data;
  const { imageOf } = readFound(path, data, manifest);
  const placeOf = placesOfIds(ids);
  const indexOf = (id: number) => {
    const index = placeOf(id);
    if (index === undefined)
      throw new InputError('broken-file', `Expected ids of ${data.name} in ${path} but found ${id}.`);
    return index;
  };
  const lines = [...before];
  const entries = before.map((line) => toEntry(line, indexOf, imageOf));
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
    images.append(pixels); // first, so that no line refers to a missing image
    text.append([Buffer.from(added.map((line) => `${JSON.stringify(line)}\n`).join(''))]);
    count += pixels.length;
    lines.push(...added);
    if (!fresh.some(({ type }) => type === 'cost')) return;
    images.sync(); // the batch is complete: make it durable
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
        return { id: line.id, label: labels[indexOf(line.id)]!, attack: names.indexOf(line.attack) };
      });
      writeAdversarial(path, { found, shape, settings: manifest.evaluation, attacks: names });
      writeJsonDurably(join(path, resultFile), result);
      rmSync(join(path, foundFile)); // duplicated in adversarial.safetensors
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

/**
 * The lines before the first that refers to a missing image, as may happen after a power failure.
 *
 * @throws {InputError} if images are missing although the evaluation is finished, or a line refers to another image than
 *   the next.
 */
export function completeLines(
  path: string,
  images: number,
): { readonly lines: EvaluationLine[]; readonly bytes: number; readonly count: number } {
  const file = join(path, linesFile);
  const text = readFileSync(file, 'utf8');
  const all = parseLines(text, file);
  const torn = all.findIndex((line) => line.type === 'broken' && line.image >= images);
  if (torn >= 0 && isFinishedEvaluation(path))
    throw new InputError(
      'broken-file',
      `Expected the image of line ${torn + 1} of ${file} but the finished evaluation has ${images} images.`,
    );
  const lines = torn < 0 ? all : all.slice(0, torn);
  let next = 0;
  for (const [index, line] of lines.entries())
    if (line.type === 'broken' && line.image !== next++)
      throw new InputError(
        'broken-file',
        `Expected image ${next - 1} in line ${index + 1} of ${file} but received ${line.image}.`,
      );
  const kept = text.split('\n').slice(0, lines.length);
  return {
    lines,
    bytes: kept.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0),
    count: lines.filter(({ type }) => type === 'broken').length,
  };
}

export function imageBytes({ shape }: Pick<Dataset, 'shape'>): number {
  return shape.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT);
}

/** A copy, since the bytes may be unaligned and `slice` of a Buffer shares memory. */
function imageAt(bytes: Uint8Array, start: number, length: number): Float32Array {
  return new Float32Array(new Uint8Array(bytes.subarray(start, start + length)).buffer);
}

/** An append-only file. */
function openAppended(path: string) {
  const file = openSync(path, 'a');
  let length = statSync(path).size;
  return {
    /** @throws {InputError} 'disk-full'; a partial write is rolled back. */
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

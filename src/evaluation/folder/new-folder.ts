import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import { InputError } from '../../errors.js';
import { writeFileDurably, writeJsonDurably } from '../../files/durable-file.js';
import { acquireLock } from '../../files/lock.js';
import { type EvaluationFolder, linesFile, openEvaluationFolder } from './evaluation-folder.js';
import { foundFile, writeOriginals } from './images.js';
import { type EvaluationManifest, isEvaluationFolder, manifestFile } from './manifest.js';

/** A folder that a new evaluation may be kept in: nothing is in it, and no other process writes it. */
export interface NewEvaluationFolder extends Disposable {
  readonly kind: 'new';
  readonly path: string;
  /** Makes it the folder of an evaluation: the images and what is measured are in it before the first attack. */
  create(options: { readonly data: Dataset; readonly manifest: EvaluationManifest }): EvaluationFolder;
  /** Releases the folder; one in which nothing was created is removed if it did not exist before. */
  [Symbol.dispose](): void;
}

/**
 * Reserves a folder for a new evaluation; to be called before anything that takes long.
 *
 * @throws {InputError} where something is in it, or another process writes it.
 */
export function newEvaluationFolder(path: string): NewEvaluationFolder {
  requireUnused(path);
  const made = mkdirSync(path, { recursive: true }); // the outermost folder that did not exist
  const lock = acquireLock(path);
  let isCreated = false;
  let isReleased = false;
  const release = () => {
    if (isReleased) return;
    isReleased = true;
    lock.release();
    if (!isCreated && made !== undefined) removeEmpty(path, made);
  };
  try {
    requireUnused(path); // another process may have used it before it was locked
  } catch (error) {
    release();
    throw error;
  }
  return {
    kind: 'new',
    path,
    create({ data, manifest }) {
      isCreated = true;
      writeOriginals(path, data);
      writeFileDurably(join(path, linesFile), []);
      writeFileDurably(join(path, foundFile), []);
      writeJsonDurably(manifestFile(path), manifest);
      return openEvaluationFolder({ path, data, manifest, lines: [], release });
    },
    [Symbol.dispose]: release,
  };
}

/** Removes a folder and those around it up to `outermost`, as far as they are empty. */
function removeEmpty(path: string, outermost: string): void {
  for (let folder = resolve(path); readdirSync(folder).length === 0; folder = dirname(folder)) {
    rmdirSync(folder);
    if (folder === resolve(outermost)) return;
  }
}

function requireUnused(path: string): void {
  if (!existsSync(path)) return;
  // What a process leaves that was killed while it made the folder: the manifest comes last.
  const early = /^(lock|lock\.\d+|originals\.safetensors|verdicts\.jsonl|images\.f32|.*\.tmp)$/;
  if (statSync(path).isDirectory() && readdirSync(path).every((file) => early.test(file))) return;
  const remedy = isEvaluationFolder(path) ? 'Use `resume` to continue the evaluation in it.' : undefined;
  throw InputError.expected('a folder that is empty or does not exist yet', '`folder`', path, remedy);
}

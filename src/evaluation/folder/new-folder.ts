import { existsSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import { InputError } from '../../errors.js';
import { writeFileDurably, writeJsonDurably } from '../../files/durable-file.js';
import { acquireLock } from '../../files/lock.js';
import { makeFolder } from '../../files/make-folder.js';
import { requireArgument } from '../../user-input/require-argument.js';
import { type EvaluationFolder, linesFile, openEvaluationFolder } from './evaluation-folder.js';
import { foundFile, writeOriginals } from './images.js';
import { type EvaluationManifest, isEvaluationFolder, manifestFile } from './manifest.js';

/** An empty folder locked for a new evaluation. */
export interface NewEvaluationFolder extends Disposable {
  readonly kind: 'new';
  readonly path: string;
  /** Initialises the folder: stores the images and the settings before the first attack. */
  create(options: { readonly data: Dataset; readonly manifest: EvaluationManifest }): EvaluationFolder;
  /** Releases the lock; removes the folder if it did not exist before and nothing was created in it. */
  [Symbol.dispose](): void;
}

/**
 * Reserves a folder for a new evaluation; call it before any expensive work.
 *
 * @throws {InputError} if the folder is not empty, or another process uses it.
 */
export function newEvaluationFolder(path: string): NewEvaluationFolder {
  requireArgument(path, 'text', 'the path of an evaluation folder');
  requireUnused(path);
  const made = makeFolder(path); // the outermost folder that did not exist
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
    requireUnused(path); // another process may have used it before the lock was acquired
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

/** Removes a folder and its parents up to `outermost`, as long as they are empty. */
function removeEmpty(path: string, outermost: string): void {
  for (let folder = resolve(path); readdirSync(folder).length === 0; folder = dirname(folder)) {
    rmdirSync(folder);
    if (folder === resolve(outermost)) return;
  }
}

function requireUnused(path: string): void {
  if (!existsSync(path)) return;
  // Files left by a process that was killed while it initialised the folder: the manifest is written last.
  const leftover = /^(lock|lock\.\d+|originals\.safetensors|verdicts\.jsonl|images\.f32|.*\.tmp)$/;
  if (statSync(path).isDirectory() && readdirSync(path).every((file) => leftover.test(file))) return;
  const remedy = isEvaluationFolder(path) ? 'Use `resume` to continue the evaluation in it.' : undefined;
  throw InputError.expected('a folder that is empty or does not exist yet', '`folder`', path, remedy);
}

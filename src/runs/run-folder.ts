import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, InputError } from '../errors.js';
import { removeTemporaryFiles, writeFileDurably, writeJsonDurably } from '../files/durable-file.js';
import { acquireLock } from '../files/lock.js';
import { type Manifest, manifestSchema } from '../provenance/manifest.js';
import { firstDifference } from '../user-input/first-difference.js';
import { validate } from '../user-input/validate.js';
import { type Checkpoint, readCheckpoint } from './checkpoint.js';
import { openEventLog, rewindEvents } from './event-log.js';
import type { RunEvent } from './events.js';

/**
 * A run folder that this process writes: `recipe.json`, `manifest.json`, `events.jsonl`, `checkpoints/`. One
 * that exists is resumed or refused, never overwritten. What a recipe means is not known here.
 */
export interface RunFolder extends Disposable {
  readonly path: string;
  readonly manifest: Manifest;
  /**
   * Write the events of a step before its checkpoint: on resume, those up to the checkpoint's step are kept.
   */
  appendEvent(event: RunEvent): void;
  /** Gives the folder free for other processes. Doing so twice is harmless. */
  close(): void;
}

export interface RunFolderOptions {
  readonly path: string;
  /** Complete and validated; plain data. */
  readonly recipe: object;
}

/** `runs/NAME-SEED`: where a run goes if nobody says otherwise. */
export function defaultRunPath(name: string, seed: number): string {
  return join('runs', `${name}-${seed}`);
}

/** @throws InputError where a new run cannot have this folder; to be asked before anything that takes long. */
export function requireUnused(path: string): void {
  if (existsSync(path) && !isUnused(path)) throw exists(path);
}

/**
 * Makes the folder of a new run, with recipe and manifest in it.
 *
 * @throws InputError where the path exists, unless it is an empty folder.
 */
export function createRunFolder(options: RunFolderOptions & { readonly manifest: Manifest }): RunFolder {
  const { path, recipe, manifest } = options;
  requireUnused(path);
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw InputError.expected('a folder that can be made', 'the run', path, String(error));
  }
  const lock = acquireLock(path);
  try {
    requireUnused(path);
    writeFileDurably(join(path, 'events.jsonl'), []);
    writeJsonDurably(join(path, 'manifest.json'), manifest);
    // Last, as it makes the folder a run: killed before, the folder counts as unused.
    writeJsonDurably(join(path, 'recipe.json'), recipe);
    return open(path, manifest, lock.release);
  } catch (error) {
    lock.release();
    throw error;
  }
}

export interface ResumeOptions extends RunFolderOptions {
  /** What a stored recipe means today, with the defaults of settings that it does not know. @default as it is */
  readonly complete?: (stored: unknown) => object;
  /**
   * Whether an event, although no later than the checkpoint's step, will come again: an epoch that ended after the
   * checkpoint of its last step. `state` is what `writeCheckpoint` was given. @default none
   */
  readonly comesAgain?: (event: RunEvent, state: unknown) => boolean;
}

export interface ResumedRun {
  readonly run: RunFolder;
  /** null where the run ended before its first checkpoint: it begins at step 0 again, with no events. */
  readonly checkpoint: Checkpoint | null;
}

/**
 * Opens a run to go on from its last checkpoint; its log is taken back to there.
 *
 * @throws InputError where there is no run, its recipe differs (naming where), its checkpoint is damaged, or
 *   another process writes it.
 */
export function resumeRunFolder({ path, recipe, complete, comesAgain }: ResumeOptions): ResumedRun {
  if (!isRunFolder(path)) throw InputError.expected('the folder of a run', '`resume`', path);
  const written = readStoredRecipe(path);
  const stored = complete === undefined ? written : JSON.parse(JSON.stringify(complete(written)));
  const difference = firstDifference(stored, JSON.parse(JSON.stringify(recipe)));
  if (difference !== undefined)
    throw new InputError(
      'recipe-differs',
      `Expected the recipe of the run ${path}, but ${difference.path} is ${describe(difference.second)} and was ` +
        `${describe(difference.first)}. Resume with the same recipe, or start another run in a new folder (\`out\`).`,
    );
  const lock = acquireLock(path);
  try {
    removeTemporaryFiles(path);
    const manifest = readManifest(path);
    const hasCheckpoint = existsSync(join(path, 'checkpoints', 'last.json'));
    const checkpoint = hasCheckpoint ? readCheckpoint({ path, names: ['last'] }) : null;
    const progress = checkpoint?.progress ?? null;
    rewindEvents(
      path,
      (event) =>
        progress !== null &&
        (!('step' in event) || event.step <= progress.step) &&
        comesAgain?.(event, progress.state) !== true,
    );
    return { run: open(path, manifest, lock.release), checkpoint };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Whether a path is a run's folder: it holds a recipe. */
export function isRunFolder(path: string): boolean {
  return existsSync(join(path, 'recipe.json'));
}

/** The recipe of a run as plain data, for `parseRecipe`. */
export function readStoredRecipe(path: string): unknown {
  return readJson(join(path, 'recipe.json'));
}

/** @throws InputError where it is missing or no manifest. */
export function readManifest(path: string): Manifest {
  const file = join(path, 'manifest.json');
  return validate({ schema: manifestSchema, input: readJson(file), source: `the manifest ${file}` });
}

function open(path: string, manifest: Manifest, release: () => void): RunFolder {
  const log = openEventLog(path);
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    log.close();
    release();
  };
  return { path, manifest, appendEvent: log.append, close, [Symbol.dispose]: close };
}

/** Whether it is a folder with nothing in it but what a process leaves that was killed while it made a run. */
function isUnused(path: string): boolean {
  const early = /^(lock|lock\.\d+|manifest\.json|events\.jsonl|.*\.tmp)$/;
  return statSync(path).isDirectory() && readdirSync(path).every((file) => early.test(file));
}

function exists(path: string): InputError {
  const remedy = `Use another folder (\`out\`)${isRunFolder(path) ? ', or `resume` to continue that run' : ''}.`;
  return InputError.expected('a folder that does not exist yet', 'the run', path, remedy);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw InputError.expected('a JSON file that can be read', path, error);
  }
}

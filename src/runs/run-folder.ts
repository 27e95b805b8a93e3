import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, InputError, RunError } from '../errors.js';
import { removeTemporaryFiles, writeFileDurably, writeJsonDurably } from '../files/durable-file.js';
import { acquireLock, type Lock } from '../files/lock.js';
import { makeFolder } from '../files/make-folder.js';
import { parseJson } from '../files/parse-json.js';
import { type Manifest, manifestSchema } from '../provenance/manifest.js';
import { firstDifference } from '../user-input/first-difference.js';
import { validate } from '../user-input/validate.js';
import { type Checkpoint, readCheckpoint } from './checkpoint.js';
import { openEventLog, readEvents, rewindEvents } from './event-log.js';
import type { RunEvent } from './events.js';

/**
 * A run folder opened for writing: `recipe.json`, `manifest.json`, `events.jsonl`, `checkpoints/`. An existing run is
 * resumed or rejected, never overwritten. It is independent of the meaning of the recipe.
 */
export interface RunFolder extends Disposable {
  readonly path: string;
  readonly manifest: Manifest;
  /**
   * Events of a step must be written before its checkpoint: on resume, those up to the checkpoint's step are kept.
   */
  appendEvent(event: RunEvent): void;
  /**
   * Call it before a checkpoint is written.
   *
   * @throws RunError 'run-taken' if another process has taken the run over, 'run-removed' if the folder is gone.
   */
  requireLock(): void;
  /** Releases the lock on the folder. Idempotent. */
  close(): void;
}

export interface RunFolderOptions {
  readonly path: string;
  /** Complete and validated plain data. */
  readonly recipe: object;
}

/** The default run folder, `runs/NAME-SEED`. */
export function defaultRunPath(name: string, seed: number): string {
  return join('runs', `${name}-${seed}`);
}

/** @throws InputError if the path cannot be used for a new run; call it before any expensive work. */
export function requireUnused(path: string): void {
  if (existsSync(path) && !isUnused(path)) throw existsError(path);
}

/**
 * Creates the folder of a new run with its recipe and manifest.
 *
 * @throws InputError if the path exists and is not an empty folder.
 */
export function createRunFolder(options: RunFolderOptions & { readonly manifest: Manifest }): RunFolder {
  const { path, recipe, manifest } = options;
  requireUnused(path);
  makeFolder(path);
  const lock = acquireLock(path);
  try {
    requireUnused(path);
    writeFileDurably(join(path, 'events.jsonl'), []);
    writeJsonDurably(join(path, 'manifest.json'), manifest);
    // Written last, since it marks the folder as a run: if killed before, the folder counts as unused.
    writeJsonDurably(join(path, 'recipe.json'), recipe);
    return open(path, manifest, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

export interface ResumeOptions extends RunFolderOptions {
  /** Adds today's defaults to a stored recipe for settings that it does not have. @default unchanged */
  readonly complete?: (stored: unknown) => object;
  /**
   * Whether an event, although not later than the checkpoint, will be repeated: the end of an epoch whose last step was
   * checkpointed before it. `state` is the value passed to `writeCheckpoint`. @default none
   */
  readonly willRepeat?: (event: RunEvent, state: unknown) => boolean;
}

/**
 * Whether a run has ended, so that there is nothing to resume.
 *
 * @throws InputError if its recipe differs or its last checkpoint is damaged, as `resumeRunFolder`.
 */
export function isFinishedRun(options: Omit<ResumeOptions, 'willRepeat'>): boolean {
  requireSameRecipe(options);
  if (readEvents(options.path).at(-1)?.type !== 'end') return false;
  readCheckpoint({ path: options.path, names: ['last'] });
  return true;
}

export interface ResumedRun {
  readonly run: RunFolder;
  /** null if the run ended before its first checkpoint: it restarts at step 0, without events. */
  readonly checkpoint: Checkpoint | null;
}

/**
 * Opens a run to resume it from its last checkpoint; its event log is rewound to that step.
 *
 * @throws InputError if it is not a run folder, its recipe differs (naming the first difference), its checkpoint is
 *   damaged, or another process uses it.
 */
export function resumeRunFolder({ path, recipe, complete, willRepeat }: ResumeOptions): ResumedRun {
  requireSameRecipe({ path, recipe, ...(complete !== undefined && { complete }) });
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
        willRepeat?.(event, progress.state) !== true,
    );
    return { run: open(path, manifest, lock), checkpoint };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function requireSameRecipe({ path, recipe, complete }: Omit<ResumeOptions, 'willRepeat'>): void {
  if (!isRunFolder(path)) throw InputError.expected('a run folder', '`resume`', path);
  const original = readStoredRecipe(path);
  const stored = complete === undefined ? original : JSON.parse(JSON.stringify(complete(original)));
  const difference = firstDifference(stored, JSON.parse(JSON.stringify(recipe)));
  if (difference !== undefined)
    throw new InputError(
      'recipe-differs',
      `Expected the recipe of the run ${path} but ${difference.path} is ${describe(difference.second)} and was ` +
        `${describe(difference.first)}. Resume with the same recipe, or start a new run in another folder (\`out\`).`,
    );
}

/** Whether a path is a run folder, i.e. contains a recipe. */
export function isRunFolder(path: string): boolean {
  return existsSync(join(path, 'recipe.json'));
}

/** The recipe of a run as plain data, to be validated by `parseRecipe`. */
export function readStoredRecipe(path: string): unknown {
  return readJson(join(path, 'recipe.json'));
}

/** @throws InputError if it is missing or invalid. */
export function readManifest(path: string): Manifest {
  const file = join(path, 'manifest.json');
  return validate({ schema: manifestSchema, input: readJson(file), source: `the manifest ${file}` });
}

function open(path: string, manifest: Manifest, lock: Lock): RunFolder {
  const log = openEventLog(path);
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    log.close();
    lock.release();
  };
  const requireLock = () => {
    if (lock.isHeld()) return;
    if (!existsSync(join(path, 'lock')))
      throw new RunError(
        'run-removed',
        `Expected the run ${path} but its folder, or the lock in it, was removed while it ran. Nothing more is written there.`,
      );
    throw new RunError(
      'run-taken',
      `Expected this process to hold the lock of the run ${path} but another process took it over, since this one gave no ` +
        'sign of life for a minute. The other one continues the run.',
    );
  };
  return { path, manifest, appendEvent: log.append, requireLock, close, [Symbol.dispose]: close };
}

/** Whether it is a folder that is empty except for files left by a process that was killed while it created a run. */
function isUnused(path: string): boolean {
  const leftover = /^(lock|lock\.\d+|manifest\.json|events\.jsonl|.*\.tmp)$/;
  return statSync(path).isDirectory() && readdirSync(path).every((file) => leftover.test(file));
}

function existsError(path: string): InputError {
  const remedy = `Use another folder (\`out\`)${isRunFolder(path) ? ', or `resume` to continue that run' : ''}.`;
  return InputError.expected('a folder that does not exist yet', 'the run', path, remedy);
}

function readJson(path: string): unknown {
  try {
    return parseJson(readFileSync(path, 'utf8'));
  } catch (error) {
    throw InputError.expected('a readable JSON file', path, error);
  }
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../src/errors.js';
import { isEvaluationFolder } from '../src/evaluation/folder/manifest.js';
import { writeJsonDurably } from '../src/files/durable-file.js';
import { makeFolder } from '../src/files/make-folder.js';
import { parseJson } from '../src/files/parse-json.js';
import { loadRecipe } from '../src/recipe/load-recipe.js';
import { parseRecipe, type Recipe } from '../src/recipe/recipe.js';
import { readEvents } from '../src/runs/event-log.js';
import { isRunFolder } from '../src/runs/run-folder.js';
import { firstDifference } from '../src/user-input/first-difference.js';
import { validate } from '../src/user-input/validate.js';
import { runChild } from './run-child.js';
import type { Arm, Study } from './study.js';

export interface StudyOptions {
  readonly study: Study;
  /** The recipe that the arms change: a name or a file. */
  readonly recipe: string;
  /** Uses the recipe's smoke section. */
  readonly smoke: boolean;
  /** Folder of the data set. @default the recipe's */
  readonly dataDir?: string;
  /** Seeds 0 to this, excluded. */
  readonly seeds: number;
  /** Test images of each evaluation. */
  readonly examples: number;
  /** Output folder; what is finished in it is not done again. */
  readonly folder: string;
  readonly device: string;
  /** Threads of each run. */
  readonly threads?: number;
  /** Runs beside each other. */
  readonly parallel: number;
  readonly signal: AbortSignal;
  /** Called for each run that is finished: whether it ran now, and how many are finished. */
  readonly onRun: (run: StudyRun, progress: { readonly isNew: boolean; readonly done: number }) => void;
}

/** What was measured of one run. */
export interface StudyRun {
  readonly arm: string;
  readonly seed: number;
  /** Accuracies on the same test images, 0 to 1. */
  readonly clean: number;
  readonly robust: number;
  /** What the evaluation's checks found. */
  readonly flags: readonly string[];
  /** Training, and evaluation. */
  readonly seconds: number;
}

/** The run folder of a run of a study. */
export const runFolderOf = (folder: string, { arm, seed }: Pick<StudyRun, 'arm' | 'seed'>) =>
  join(folder, arm, String(seed), 'run');

/** What is read of an evaluation's JSON. */
const measured = z.object({
  clean: z.number(),
  robust: z.number(),
  examples: z.number(),
  seconds: z.number(),
  flags: z.array(z.object({ code: z.string() })),
});

interface Job {
  readonly arm: Arm;
  readonly seed: number;
  readonly recipe: Recipe;
  /** `FOLDER/ARM/SEED`, with `recipe.json` and `result.json` beside the run. */
  readonly path: string;
}

/**
 * Trains every arm with every seed and evaluates each network by the attacks that `satin evaluate` takes by default. Runs of
 * one seed share initial weights, order and noise, since these follow from the seed alone.
 *
 * @returns the runs, by arm and seed.
 * @throws {InputError} before the first run, if an arm has no valid recipe, or the folder has runs of other recipes.
 * @throws {InterruptedError} if interrupted; the same call resumes.
 */
export async function runStudy(options: StudyOptions): Promise<StudyRun[]> {
  const { study, parallel, onRun } = options;
  const jobs = jobsOf(options);
  for (const job of jobs) prepare(job);
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const runs = new Map<Job, StudyRun>();
  const waiting = [...jobs];
  const work = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const before = finished(job, options);
      const run = before ?? (await carryOut(job, { ...options, signal }));
      runs.set(job, run);
      onRun(run, { isNew: before === null, done: runs.size });
    }
  };
  const workers = Array.from({ length: Math.min(parallel, jobs.length) }, () =>
    // The first failure interrupts the others, which save their progress.
    work().catch((error: unknown) => {
      waiting.length = 0;
      stop.abort();
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(workers);
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (failures.length > 0) throw failures[0];
  const place = ({ arm, seed }: StudyRun) =>
    study.arms.findIndex(({ name }) => name === arm) * options.seeds + seed;
  return [...runs.values()].sort((a, b) => place(a) - place(b));
}

/** The recipe of an arm with a seed. @throws {InputError} if it is not valid. */
export function recipeOf(arm: Arm, base: Recipe, study: string, seed: number): Recipe {
  const changed = arm.change(base) as Recipe;
  const named = { ...changed, name: study, training: { ...changed.training, seed } };
  return parseRecipe(named, `the arm ${arm.name} of the study ${study}`);
}

/** Seed by seed, so that a study that is cut short has whole pairs. */
function jobsOf({ study, recipe, smoke, dataDir, seeds, folder }: StudyOptions): Job[] {
  const set = dataDir === undefined ? [] : [`data.dir=${JSON.stringify(dataDir)}`];
  const base = loadRecipe(recipe, { smoke, set });
  return Array.from({ length: seeds }, (_, seed) =>
    study.arms.map((arm) => ({
      arm,
      seed,
      recipe: recipeOf(arm, base, study.name, seed),
      path: join(folder, arm.name, String(seed)),
    })),
  ).flat();
}

/** Writes the recipe, or makes sure that it is the one that is there. */
function prepare({ recipe, path }: Job): void {
  const file = join(path, 'recipe.json');
  const asked: unknown = JSON.parse(JSON.stringify(recipe));
  if (!existsSync(file)) {
    makeFolder(path);
    writeJsonDurably(file, asked);
    return;
  }
  const difference = firstDifference(parseJson(readFileSync(file, 'utf8')), asked);
  if (difference !== undefined)
    throw InputError.expected(
      `${difference.path} = ${String(difference.first)}, with which ${path} was made,`,
      'the study',
      difference.second,
      'Choose another folder with `out`.',
    );
}

/** The result of a job that is done; null if there is none for as many images. */
function finished(job: Job, { examples }: Pick<StudyOptions, 'examples'>): StudyRun | null {
  const source = join(job.path, 'result.json');
  if (!existsSync(source)) return null;
  const result = validate({ schema: measured, input: parseJson(readFileSync(source, 'utf8')), source });
  if (result.examples !== examples)
    throw InputError.expected(
      `${result.examples} examples, as in ${source},`,
      'the study',
      examples,
      'Choose another folder with `out`.',
    );
  const events = readEvents(join(job.path, 'run'));
  const end = events.at(-1);
  return {
    arm: job.arm.name,
    seed: job.seed,
    clean: result.clean,
    robust: result.robust,
    flags: result.flags.map(({ code }) => code),
    seconds: (end?.type === 'end' ? end.seconds : 0) + result.seconds,
  };
}

async function carryOut(job: Job, options: StudyOptions): Promise<StudyRun> {
  const { path } = job;
  const { device, threads, examples, signal } = options;
  const run = join(path, 'run');
  const evaluation = join(path, 'evaluation');
  const place = ['--device', device, ...(threads === undefined ? [] : ['--threads', String(threads)])];
  const child = (words: readonly string[]) => runChild(words, { log: join(path, 'log.txt'), signal });
  if (!isRunFolder(run) || readEvents(run).at(-1)?.type !== 'end')
    await child(['train', join(path, 'recipe.json'), '--out', run, '--resume-or-start', ...place]);
  const json = ['--json', join(path, 'result.json')];
  const images = ['--examples', String(examples), '--save-adversarial', evaluation];
  if (isEvaluationFolder(evaluation)) await child(['evaluate', '--resume', evaluation, ...json]);
  else await child(['evaluate', run, ...images, ...json, ...place]);
  return finished(job, options)!;
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Precision, precisions } from '../src/engine/precision-name.js';
import { InputError } from '../src/errors.js';
import { isEvaluationFolder } from '../src/evaluation/folder/manifest.js';
import { writeJsonDurably } from '../src/files/durable-file.js';
import { makeFolder } from '../src/files/make-folder.js';
import { parseJson } from '../src/files/parse-json.js';
import { type Manifest, placeOf } from '../src/provenance/manifest.js';
import { placeName } from '../src/provenance/place.js';
import { bestEpoch } from '../src/runs/best-epoch.js';
import { readEvents } from '../src/runs/event-log.js';
import { isRunFolder, readManifest } from '../src/runs/run-folder.js';
import { validate } from '../src/user-input/validate.js';
import { jobsOf, type StudyJob } from './jobs.js';
import { keptRecipe, type Measurement, type RunRecord, readRecords, writeRecord } from './record.js';
import { runChild } from './run-child.js';
import type { Setting } from './setting.js';

export interface StudyOptions extends Setting {
  /** Names of the arms to carry out; the page has the others too, if they are finished. @default all */
  readonly arms?: readonly string[];
  /** Seeds 0 to this, excluded. */
  readonly seeds: number;
  /** Test images of each evaluation. */
  readonly examples: number;
  /** Attacks of each evaluation, in sequence. */
  readonly attacks: readonly string[];
  /** Whether the first seed of each arm is measured by AutoAttack's standard set too. */
  readonly autoattack: boolean;
  /** In which the attacks search. */
  readonly precision: Precision;
  /** What is to be said of the data on the page. */
  readonly note: string | null;
  /** Output folder, for any number of studies of one scale; what is finished in it is not done again. */
  readonly folder: string;
  readonly device: string;
  /** Threads of each run. */
  readonly threads?: number | undefined;
  /** Runs beside each other. */
  readonly parallel: number;
  readonly signal: AbortSignal;
  /** Called once it is known how many runs are asked for and how many of them are finished; again after a setting was chosen. */
  readonly onPlan: (plan: { readonly total: number; readonly finished: number }) => void;
  /** Called for each run that was carried out, with its record and the arms that it belongs to. */
  readonly onRun: (job: StudyJob, record: RunRecord) => void | Promise<void>;
}

/**
 * Trains what is not finished of the arms and seeds asked for, and evaluates each network on test images. Runs of one seed share
 * initial weights, order and noise, since these follow from the seed alone; a run that several arms or studies share is carried
 * out once. With a setting to choose, the runs that choose it come first.
 *
 * @throws {InputError} before the first run, if an arm has no valid recipe, or a finished run was measured otherwise.
 * @throws {InterruptedError} if interrupted; the same call resumes.
 */
export async function runStudy(options: StudyOptions): Promise<void> {
  const { folder, onPlan } = options;
  const stages = options.study.tuning === undefined ? (['measure'] as const) : (['tune', 'measure'] as const);
  for (const stage of stages) {
    const jobs = jobsOf(options, stage, readRecords(folder));
    const open = jobs.filter((job) => !isFinished(job, options));
    onPlan({ total: jobs.length, finished: jobs.length - open.length });
    await carryOutAll(open, options);
  }
}

/** Whether a job has its record. @throws {InputError} if it was measured on other images or by other attacks. */
function isFinished({ stage, name, seed, record }: StudyJob, options: StudyOptions): boolean {
  if (record === null) return false;
  if (stage === 'tune') return true;
  if (record.test === null) return false;
  const { examples, attacks, precision, autoattack } = options;
  const { test } = record;
  const was = [test.examples, test.precision, ...test.attacks.map((attack) => attack.name)].join(', ');
  const asked = [examples, precision, ...attacks].join(', ');
  if (was !== asked)
    throw InputError.expected(
      `${was} (examples, precision and attacks, as in the record ${name})`,
      'the study',
      asked,
      'Choose another folder with `out`.',
    );
  return !autoattack || seed > 0 || record.autoattack !== null;
}

async function carryOutAll(jobs: readonly StudyJob[], options: StudyOptions): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const waiting = [...jobs];
  const work = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const record = await carryOut(job, { ...options, signal });
      writeRecord(options.folder, job.name, record);
      await options.onRun(job, record);
    }
  };
  const workers = Array.from({ length: Math.min(options.parallel, jobs.length) }, () =>
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
}

/** `--device` and `--threads` as the command line takes them. */
export const placeWords = ({ device, threads }: Pick<StudyOptions, 'device' | 'threads'>): string[] => [
  '--device',
  device,
  ...(threads === undefined ? [] : ['--threads', String(threads)]),
];

/** Trains in `FOLDER/runs/NAME/run`, with the recipe and a log beside it, or resumes; nothing if the run has ended. */
export async function train(
  { name, recipe }: Pick<StudyJob, 'name' | 'recipe'>,
  options: Pick<StudyOptions, 'folder' | 'device' | 'threads' | 'signal'>,
): Promise<void> {
  const path = join(options.folder, 'runs', name);
  const run = join(path, 'run');
  const file = join(path, 'recipe.json');
  makeFolder(path);
  if (!existsSync(file)) writeJsonDurably(file, recipe);
  if (isRunFolder(run) && readEvents(run).at(-1)?.type === 'end') return;
  await runChild(['train', file, '--out', run, '--resume-or-start', ...placeWords(options)], {
    log: join(path, 'log.txt'),
    signal: options.signal,
  });
}

/** Trains and evaluates; the evaluations stand beside the run. */
async function carryOut(job: StudyJob, options: StudyOptions): Promise<RunRecord> {
  const { folder, attacks, autoattack, signal } = options;
  const path = join(folder, 'runs', job.name);
  const run = join(path, 'run');
  await train(job, options);
  const common = ['--examples', String(options.examples), '--precision', options.precision];
  const measure = async (kind: string, set: readonly string[]): Promise<Measurement> => {
    const json = join(path, `${kind}.json`);
    const stored = join(path, kind);
    const words = isEvaluationFolder(stored)
      ? ['--resume', stored]
      : [run, ...set, ...common, '--save-adversarial', stored, ...placeWords(options)];
    if (!existsSync(json))
      await runChild(['evaluate', ...words, '--json', json], { log: join(path, 'log.txt'), signal });
    return measurementOf(json);
  };
  return {
    ...trained(run, job, options.note),
    test:
      job.stage === 'tune'
        ? null
        : await measure(
            'evaluation',
            attacks.flatMap((name) => ['--attack', name]),
          ),
    autoattack:
      job.stage === 'measure' && autoattack && job.seed === 0
        ? await measure('autoattack', ['--autoattack', 'standard'])
        : (job.record?.autoattack ?? null),
  };
}

/** What the folder of a finished run says of its training. */
function trained(
  run: string,
  { recipe }: StudyJob,
  note: string | null,
): Omit<RunRecord, 'test' | 'autoattack'> {
  const events = readEvents(run);
  const manifest = readManifest(run);
  const end = events.find((event) => event.type === 'end');
  const best = bestEpoch(events);
  return {
    recipe: keptRecipe(recipe),
    note,
    commit: manifest.commit,
    started: manifest.started,
    device: deviceOf(manifest),
    engine: `libtorch ${manifest.engine.libtorch}`,
    seconds: end?.type === 'end' ? end.seconds : Number.NaN,
    validation: {
      epoch: best?.epoch ?? Number.NaN,
      clean: best?.clean ?? Number.NaN,
      robust: best?.robust ?? Number.NaN,
    },
  };
}

const deviceOf = (manifest: Manifest) =>
  manifest.device === 'cpu'
    ? `${manifest.processor}, ${manifest.threads} ${manifest.threads === 1 ? 'thread' : 'threads'}`
    : placeName(placeOf(manifest));

/** What is read of an evaluation's JSON. */
const evaluationSchema = z.object({
  pixelsDigest: z.string(),
  clean: z.number(),
  robust: z.number(),
  examples: z.number(),
  seconds: z.number(),
  precision: z.object({ search: z.enum(precisions) }),
  attacks: z.array(z.object({ name: z.string(), robustAfter: z.number() })),
  flags: z.array(z.object({ code: z.string() })),
});

function measurementOf(source: string): Measurement {
  const input = parseJson(readFileSync(source, 'utf8'));
  const { flags, precision, ...rest } = validate({ schema: evaluationSchema, input, source });
  return { ...rest, precision: precision.search, flags: [...new Set(flags.map(({ code }) => code))] };
}

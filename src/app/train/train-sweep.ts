import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, InterruptedError, SatinError } from '../../errors.js';
import { writeFileDurably } from '../../files/durable-file.js';
import { type BestEpoch, bestEpoch } from '../../runs/best-epoch.js';
import { readCheckpoint } from '../../runs/checkpoint.js';
import { readEvents } from '../../runs/event-log.js';
import type { RunEvent } from '../../runs/events.js';
import { isRunFolder } from '../../runs/run-folder.js';
import { firstIncomparable } from '../report/require-comparable.js';
import { noticeOf, runDifferences } from '../report/run-differences.js';
import { type TrainingReportOptions, trainingReport } from '../report/training-report.js';
import type { Sweep, SweptRun } from './sweep.js';
import { type TrainRunOptions, trainRun } from './train-run.js';

export interface TrainSweepOptions
  extends Pick<TrainRunOptions, 'init' | 'newHead' | 'tensorboard' | 'trackio' | 'job' | 'interrupted'> {
  readonly sweep: Sweep;
  readonly onProgress: TrainingReportOptions['onProgress'];
  /** Called before each run that is not finished; returns the handler of its events. */
  readonly onRun: (run: SweptRun, place: SweepPlace) => (event: RunEvent) => void;
  /** Called for a run that failed; the others go on. */
  readonly onFailure: (run: SweptRun, message: string) => void;
}

export interface SweepPlace {
  /** From 1. */
  readonly number: number;
  readonly history: readonly RunEvent[];
  /** Epochs of the runs after this one that are not finished. */
  readonly epochsAfter: number;
}

/** What came of a run. */
export interface SweptResult {
  readonly run: SweptRun;
  /** null for a run that failed before its first epoch, or has no validation images. */
  readonly best: BestEpoch | null;
  /** Why it did not end; null if it did. */
  readonly failure: string | null;
}

/**
 * Trains the runs of a sweep that are not finished, one after the other. They share initial weights, order and noise where they
 * share the seed. A run that fails does not end the others.
 *
 * @throws {InterruptedError} if interrupted; the same call goes on.
 */
export async function trainSweep(options: TrainSweepOptions): Promise<SweptResult[]> {
  const { sweep, interrupted, onRun, onFailure, onProgress } = options;
  const results: SweptResult[] = [];
  for (const [index, run] of sweep.runs.entries()) {
    if (interrupted()) throw new InterruptedError('Interrupted; the progress has been saved.');
    const { path, recipe } = run;
    const history = eventsOf(path);
    let failure: string | null = null;
    if (!isFinished(history)) {
      const later = sweep.runs.slice(index + 1).filter((other) => !isFinished(eventsOf(other.path)));
      const epochsAfter = later.reduce((sum, other) => sum + other.recipe.training.epochs, 0);
      rmSync(reportOf(sweep), { force: true }); // it would lack this run
      const onEvent = onRun(run, { number: index + 1, history, epochsAfter });
      failure = await trainRun({ ...options, recipe, path, resume: true, onEvent, onProgress }).then(
        () => null,
        (error: unknown) => {
          if (error instanceof InterruptedError) throw error;
          return error instanceof SatinError ? error.message : describe(error);
        },
      );
      if (failure !== null) onFailure(run, failure);
    }
    results.push({ run, best: bestEpoch(eventsOf(path)), failure });
  }
  return results;
}

const reportOf = ({ path }: Sweep) => join(path, 'report.html');
const eventsOf = (path: string): readonly RunEvent[] => (isRunFolder(path) ? readEvents(path) : []);
const isFinished = (events: readonly RunEvent[]): boolean => events.at(-1)?.type === 'end';

/** Settings that decide on which images, and how, a run is validated. */
const ofValidation = /^(threat|validation)\.|^data\.(name|dir|validation|validationSeed|broken)$/;

/** Whether all runs were validated in the same way, so that one of them can be the best. */
export const isOneMeasure = ({ settings }: Sweep): boolean =>
  !settings.some((setting) => ofValidation.test(setting));

/**
 * Best first: by robust validation accuracy, or by clean accuracy where that selects the epochs of all runs, then by the other;
 * runs without a measurement last. In their own order if they were validated differently. Test images play no part.
 */
export function ranked(sweep: Sweep, results: readonly SweptResult[]): SweptResult[] {
  if (!isOneMeasure(sweep)) return [...results];
  const isClean = results.every(({ best }) => best === null || best.chosenBy === 'clean');
  const [first, second] = isClean ? (['clean', 'robust'] as const) : (['robust', 'clean'] as const);
  const value = ({ best }: SweptResult, metric: 'clean' | 'robust') => best?.[metric] ?? -1;
  return [...results].sort(
    (a, b) => value(b, first) - value(a, first) || value(b, second) - value(a, second),
  );
}

export interface SweepReportOptions
  extends Pick<TrainingReportOptions, 'device' | 'examples' | 'interrupted' | 'onProgress'> {
  readonly sweep: Sweep;
  readonly results: readonly SweptResult[];
}

/**
 * Writes `report.html`, which compares the finished runs on test images, and returns its path; it is left as it is if it exists.
 * null where there is nothing to compare, or it is not comparable.
 */
export async function sweepReport(options: SweepReportOptions): Promise<string | null> {
  const { sweep, results, ...rest } = options;
  const finished = results.filter(({ failure }) => failure === null).map(({ run }) => run);
  if (finished.length < 2 || firstIncomparable(finished) !== undefined) return null;
  const path = reportOf(sweep);
  if (existsSync(path)) return path;
  const runs = finished.map((run) => ({ ...run, checkpoint: readCheckpoint({ path: run.path }) }));
  const best = ranked(sweep, results)[0];
  const choice =
    isOneMeasure(sweep) && best?.best != null
      ? ` The best on validation images, by which a value is chosen, is ${best.run.name}.`
      : '';
  const { page } = await trainingReport({
    ...rest,
    runs,
    title: `Sweep of ${sweep.settings.join(' and ')}`,
    notice: `${noticeOf(runs, runDifferences(runs))}${choice}`,
  });
  writeFileDurably(path, [Buffer.from(page)]);
  return path;
}

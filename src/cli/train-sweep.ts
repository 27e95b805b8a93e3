import { readInitialWeights } from '../app/model/initial-weights.js';
import { keepSweep, requirePlace, type Sweep, type SweptRun, shortName } from '../app/train/sweep.js';
import type { SweptResult } from '../app/train/train-sweep.js';
import { InterruptedError, RunError } from '../errors.js';
import { commandLine } from '../provenance/command-line.js';
import { readEvents } from '../runs/event-log.js';
import { isRunFolder } from '../runs/run-folder.js';
import { runReach } from '../runs/weights-origin.js';
import { listenForInterrupt } from './interrupt.js';
import { columns } from './terminal/columns.js';
import { percentage } from './terminal/format.js';
import { print } from './terminal/print.js';
import { createDisplay, type Display } from './terminal/terminal.js';

export interface TrainSweepWords {
  readonly resume: boolean;
  readonly smoke: boolean;
  readonly job: string | null;
  /** Sentences on settings that follow others. */
  readonly notes: readonly string[];
}

/**
 * Trains the runs of a sweep one after the other, and prints a table, best first.
 *
 * @throws {RunError} if a run failed, after the others were trained.
 * @throws {InterruptedError} naming the command that goes on.
 */
export async function runSweep(sweep: Sweep, words: TrainSweepWords): Promise<void> {
  const { resume, smoke, job, notes } = words;
  const { init: start } = sweep;
  const init = start === null ? undefined : readInitialWeights(start.path, { entry: start.entry });
  keepSweep(sweep, { resume });
  // Imported after validation, since this loads the engine.
  const { trainSweep, sweepReport, ranked, isOneMeasure } = await import('../app/train/train-sweep.js');
  const { deviceOfRank } = await import('../app/device-of-rank.js');
  let display: Display = createDisplay();
  const signal = listenForInterrupt((sentence) => display.note(sentence));
  for (const note of notes) display.note(note);
  const watched = {
    sweep,
    interrupted: () => signal.aborted,
    onProgress: (progress: Parameters<Display['progress']>[0]) => display.progress(progress),
  };
  try {
    const results = await trainSweep({
      ...watched,
      init,
      newHead: start?.newHead ?? false,
      tensorboard: sweep.boards.includes('tensorboard'),
      trackio: sweep.boards.includes('trackio'),
      job,
      onRun(run, { number, history, epochsAfter }) {
        display.close();
        display = createDisplay({ history, epochsAfter });
        display.note(`${number}/${sweep.runs.length}  ${run.name}`);
        return (event) => display.event(event);
      },
      onFailure: (run, message) => display.warning(`${run.name} failed: ${message}`),
    });
    const device = deviceOfRank(sweep.runs[0]!.recipe.device, { source: 'device of the recipe' });
    display.close();
    const order = ranked(sweep, results);
    print(`\n${tableOf(sweep, order).join('\n')}\n\n${choiceOf(order, isOneMeasure(sweep))}\n`);
    display = createDisplay();
    const report = await sweepReport({ ...watched, results, device, ...(smoke && { examples: 50 }) });
    display.close();
    if (report !== null)
      print(`The report, which compares them on test images, is ${report}. Open it in a browser.\n`);
    requireAll(results);
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    const command = commandLine(['train', sweep.path, '--resume']);
    const sentence = `Interrupted; the progress of all runs is saved in ${sweep.path}. Continue with: ${command}`;
    throw new InterruptedError(sentence, { cause: error });
  } finally {
    display.close();
  }
}

/** One line a run. */
function tableOf({ settings }: Sweep, results: readonly SweptResult[]): string[] {
  const line = ({ run, best, failure }: SweptResult) => [
    ...run.values,
    percentage(best?.robust ?? undefined),
    percentage(best?.clean ?? undefined),
    best === null ? '-' : String(best.epoch),
    failure === null ? run.path : 'failed',
  ];
  const header = [...settings.map(shortName), 'robust', 'clean', 'epoch', 'run'];
  const first = settings.length;
  return columns([header, ...results.map(line)], { right: [first, first + 1, first + 2] });
}

function choiceOf([best, ...others]: readonly SweptResult[], isOneMeasure: boolean): string {
  const accuracies = 'The accuracies are those of the best epoch, on validation images';
  if (!isOneMeasure)
    return `${accuracies}, which are not the same, or not attacked in the same way: none of these is the best.`;
  if (best?.best == null) return 'Nothing was measured on validation images: none of these is the best.';
  const command = commandLine(['evaluate', best.run.path]);
  return others.length === 0
    ? `${accuracies}. Evaluate it: ${command}`
    : `${accuracies}, best first. Evaluate the best: ${command}`;
}

/** @throws {RunError} for runs that failed. */
function requireAll(results: readonly SweptResult[]): void {
  const failed = results.filter(({ failure }) => failure !== null);
  const [first] = failed;
  if (first === undefined) return;
  const others = failed.length === 1 ? '' : `, and ${failed.length - 1} more,`;
  throw new RunError(
    'sweep',
    `Expected all ${results.length} runs to end, but ${first.run.name}${others} failed: ${first.failure}`,
  );
}

/** What a sweep would do, without doing it. @throws {InputError} as `requirePlace` for folders that are taken */
export async function drySweep(sweep: Sweep, options: { readonly resume: boolean }): Promise<string> {
  const { path, runs } = sweep;
  const { trainingSetSize } = await import('../app/plan/training-set-size.js');
  const { passCounts } = await import('../app/plan/pass-counts.js');
  const { requireClassWeights } = await import('../app/train/class-weights.js');
  const { requireWholeBatch } = await import('../app/train/require-whole-batch.js');
  requirePlace(sweep, options);
  const lines: string[][] = [];
  let total = 0;
  for (const run of runs) {
    const size = await trainingSetSize(run.recipe);
    requireWholeBatch(size.training, run.recipe.training.batch);
    requireClassWeights(run.recipe, size.classes);
    const { steps } = passCounts(run.recipe, size);
    total += steps;
    lines.push([run.name, `${steps} steps`, `${run.recipe.training.epochs} epochs`, stateOf(run)]);
  }
  return `${[`${runs.length} runs, ${total} steps, into ${path}:`, ...columns(lines, { right: [1, 2] })].join('\n')}\n`;
}

function stateOf({ path }: SweptRun): string {
  if (!isRunFolder(path)) return 'would be trained';
  const events = readEvents(path);
  if (events.at(-1)?.type === 'end') return 'is finished';
  const reach = runReach(events);
  return `would go on after ${reach?.epochs ?? 0} epochs`;
}

import { type Attack, requireNorm, type Threat } from '../attacks/attack.js';
import type { DatasetTensors } from '../data/dataset-tensors.js';
import { singleProcess as one, type ProcessGroup } from '../distributed/process-group.js';
import { InputError } from '../errors.js';
import { scope } from '../tensor/scope.js';
import { requireArgument, requireList } from '../user-input/require-argument.js';
import { attackDataset } from './attack-dataset.js';
import { batches } from './batches.js';
import { PauseClock } from './interruption.js';
import type { Ledger } from './ledger.js';
import { misclassified, verdictPasses } from './misclassified.js';
import { type ModelUnderTest, padSingleton } from './model-under-test.js';
import { type EvaluationProgress, Pace, workOf } from './progress.js';
import { requireClasses } from './require-logits.js';
import { requireThreat } from './require-threat.js';
import { sharedLedger } from './shared-ledger.js';
import { type Evaluation, summary } from './summary.js';

export type { Evaluation, EvaluationProgress };

export interface EvaluateOptions {
  /** The attacks in the order in which they run; no duplicates. */
  readonly attacks: readonly Attack[];
  readonly threat: Threat;
  readonly seed: number;
  /** Images per batch; affects speed and memory, not the verdicts. */
  readonly batch: number;
  /** Also run each attack on the examples broken by earlier ones, to measure it on its own. @default false */
  readonly alone?: boolean;
  /** Number of iterates of an attack from one check for broken examples to the next. @default that of the device */
  readonly checkEvery?: number;
  /** Records every verdict as it is known; verdicts it already has are not computed again. @default a new one */
  readonly ledger?: Ledger;
  /**
   * The ranks among which the examples are split. All return the same evaluation, except that `adversarial` holds the
   * images of their own share only. @default a single process
   */
  readonly group?: ProcessGroup;
  /** Called after every batch and periodically within one. */
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Polled between batches and periodically within one; returning true throws an `InterruptedError`. */
  readonly interrupted?: () => boolean;
}

/**
 * Computes the clean accuracy, then runs each attack on the examples that are still robust: an example is robust if no
 * attack broke it. Every adversarial image is verified before it counts.
 *
 * With the ledger of an interrupted evaluation, completed batches are skipped and the batch in progress is attacked
 * again as a whole, so that the results are identical.
 *
 * @throws {InputError} for duplicate attacks, or a model whose number of classes differs from that of the data.
 * @throws {RunError} if an attack returned an image outside the ball or the box.
 */
export async function evaluate(
  subject: ModelUnderTest,
  data: DatasetTensors,
  options: EvaluateOptions,
): Promise<Evaluation> {
  requireArgument(subject, 'subject', 'evaluate');
  requireArgument(data, 'examples', 'evaluate');
  requireArgument(options, 'options', 'evaluate');
  const { attacks, threat, alone = false, group = one } = options;
  requireList(attacks, 'attack', 'the attacks');
  requireThreat(threat);
  requireArgument(options.seed, 'whole', 'the seed of evaluate');
  requireArgument(options.batch, 'count', 'the batch of evaluate');
  if (group.size > 1 && options.ledger !== undefined)
    throw InputError.expected('one process', 'an evaluation with a folder', group.size);
  const { ledger, share, exchange } = sharedLedger(group, options.ledger);
  const classes = data.dataset.classes.length;
  const names = attacks.map(({ name }) => name);
  for (const [position, attack] of attacks.entries()) {
    requireNorm(attack, threat.norm.name);
    if (names.indexOf(attack.name) !== position)
      throw InputError.expected('distinct attacks', 'the attacks', names.join(', '));
  }

  const clock = new PauseClock(options.interrupted);
  await cleanPass(subject, data, { ...options, ledger, clock, share });
  exchange();

  const correct = ledger.correct();
  const pace = new Pace();
  for (const [position, attack] of attacks.entries()) {
    const before = names.slice(0, position);
    const robust = correct.filter((index) => ledger.brokenBy(before, index) === null);
    const broken = correct.filter((index) => ledger.brokenBy(before, index) !== null);
    const works = attacks.slice(position + 1).map((later) => workOf(later, classes));
    const later = works.reduce((sum, work) => sum + work, 0);
    const common = { ...options, ledger, clock, pace, attack };
    await attackDataset(subject, data, {
      ...common,
      part: 'sequence',
      indices: share(robust),
      rest: (left) =>
        alone ? later * correct.length + workOf(attack, classes) * broken.length : later * left,
    });
    exchange();
    if (!alone) continue;
    const rest = () => later * correct.length;
    await attackDataset(subject, data, { ...common, part: 'alone', indices: share(broken), rest });
    exchange();
  }
  return summary(ledger, { data: data.dataset, attacks, epsilon: threat.epsilon, classes, alone });
}

/** Classifies the clean images. */
async function cleanPass(
  subject: ModelUnderTest,
  data: DatasetTensors,
  options: EvaluateOptions & {
    readonly ledger: Ledger;
    readonly clock: PauseClock;
    readonly share: (indices: readonly number[]) => readonly number[];
  },
): Promise<void> {
  const { ledger, clock, batch, onProgress } = options;
  const { count, dataset } = data;
  const classify = padSingleton(subject.exact);
  const all = options.share(Array.from({ length: count }, (_, index) => index));
  const known = ledger.batches('clean', 'sequence');
  for (const indices of [...batches(all, batch)].slice(known)) {
    const began = performance.now();
    const result = scope(() =>
      misclassified(classify, data.batch(indices).x, {
        labels: indices.map((index) => dataset.labels[index]!),
        random: subject.random === true,
      }),
    );
    requireClasses(result.classes, dataset);
    const misses = new Set(result.rows);
    const seconds = (performance.now() - began) / 1000;
    const forwards = indices.length * (subject.random === true ? verdictPasses : 1);
    ledger.add([
      ...indices.map((index, row) => ({ type: 'clean' as const, index, right: !misses.has(row) })),
      { type: 'cost', stage: 'clean', part: 'sequence', forwards, backwards: 0, seconds },
    ]);
    const robust = ledger.correct().length / count;
    onProgress?.({ stage: 'clean', done: indices.at(-1)! + 1, total: count, robust });
    await clock.pause();
  }
}

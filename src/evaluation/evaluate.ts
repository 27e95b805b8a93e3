import { type Attack, requireNorm, type Threat } from '../attacks/attack.js';
import type { DatasetTensors } from '../data/dataset-tensors.js';
import { singleProcess as one, type ProcessGroup } from '../distributed/process-group.js';
import { InputError } from '../errors.js';
import { scope } from '../tensor/scope.js';
import { attackDataset } from './attack-dataset.js';
import { batches } from './batches.js';
import { PauseClock } from './interruption.js';
import type { Ledger } from './ledger.js';
import { misclassified, randomPasses } from './misclassified.js';
import { type ModelUnderTest, padSingleton } from './model-under-test.js';
import { type EvaluationProgress, Pace, workOf } from './progress.js';
import { requireClasses } from './require-logits.js';
import { sharedLedger } from './shared-ledger.js';
import { type Evaluation, summary } from './summary.js';

export type { Evaluation, EvaluationProgress };

export interface EvaluateOptions {
  /** Each once, in the order in which they are run. */
  readonly attacks: readonly Attack[];
  readonly threat: Threat;
  readonly seed: number;
  /** Images a batch; changes the speed and the memory, not the verdicts. */
  readonly batch: number;
  /** Runs each attack on what others broke before it too, to tell what it breaks alone. @default false */
  readonly alone?: boolean;
  /** Every verdict goes there as it falls, and what it knows is not done again. @default a new one */
  readonly ledger?: Ledger;
  /** Who measures a share of the examples each; all come to the same evaluation, with the adversarial images of their own. @default alone */
  readonly ranks?: ProcessGroup;
  /** Told after every batch, and now and then within one. */
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Asked between batches, and now and then within one; true ends the evaluation with an `InterruptedError`. */
  readonly interrupted?: () => boolean;
}

/**
 * Clean accuracy, then each attack on what still stands: an example counts as robust when none broke it. Every
 * adversarial image is verified before it counts.
 *
 * Of a ledger that comes from an evaluation which was interrupted, batches that are done are left out, and the one that
 * was in progress is attacked as a whole: so the same numbers are computed.
 *
 * @throws {InputError} for an attack that is named twice, and for a model whose classes are not those of the data.
 * @throws {RunError} where an attack left its ball or the box.
 */
export async function evaluate(
  subject: ModelUnderTest,
  data: DatasetTensors,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { attacks, threat, alone = false, ranks = one } = options;
  if (ranks.size > 1 && options.ledger !== undefined)
    throw InputError.expected('one process', 'an evaluation that is kept in a folder', ranks.size);
  const { ledger, share, exchange } = sharedLedger(ranks, options.ledger);
  const classes = data.dataset.classes.length;
  const names = attacks.map(({ name }) => name);
  for (const [at, attack] of attacks.entries()) {
    requireNorm(attack, threat.norm.name);
    if (names.indexOf(attack.name) !== at)
      throw InputError.expected('each attack once', 'the attacks', names.join(', '));
  }

  const clock = new PauseClock(options.interrupted);
  await cleanPass(subject, data, { ...options, ledger, clock, share });
  exchange();

  const right = ledger.right();
  const pace = new Pace();
  for (const [at, attack] of attacks.entries()) {
    const before = names.slice(0, at);
    const standing = right.filter((place) => ledger.brokenBy(before, place) === null);
    const fallen = right.filter((place) => ledger.brokenBy(before, place) !== null);
    const works = attacks.slice(at + 1).map((later) => workOf(later, classes));
    const later = works.reduce((sum, work) => sum + work, 0);
    const common = { ...options, ledger, clock, pace, attack };
    await attackDataset(subject, data, {
      ...common,
      part: 'sequence',
      places: share(standing),
      rest: (left) => (alone ? later * right.length + workOf(attack, classes) * fallen.length : later * left),
    });
    exchange();
    if (!alone) continue;
    const rest = () => later * right.length;
    await attackDataset(subject, data, { ...common, part: 'alone', places: share(fallen), rest });
    exchange();
  }
  return summary(ledger, { data: data.dataset, attacks, epsilon: threat.epsilon, classes, alone });
}

/** Which images the model classifies rightly as they are. */
async function cleanPass(
  subject: ModelUnderTest,
  data: DatasetTensors,
  options: EvaluateOptions & {
    readonly ledger: Ledger;
    readonly clock: PauseClock;
    readonly share: (places: readonly number[]) => readonly number[];
  },
): Promise<void> {
  const { ledger, clock, batch, onProgress } = options;
  const { count, dataset } = data;
  const classify = padSingleton(subject.exact);
  const everything = options.share(Array.from({ length: count }, (_, place) => place));
  const known = ledger.batches('clean', 'sequence');
  for (const places of [...batches(everything, batch)].slice(known)) {
    const began = performance.now();
    const judged = scope(() =>
      misclassified(classify, data.batch(places).x, {
        labels: places.map((place) => dataset.labels[place]!),
        random: subject.random === true,
      }),
    );
    requireClasses(judged.classes, dataset);
    const wrong = new Set(judged.rows);
    const seconds = (performance.now() - began) / 1000;
    const forwards = places.length * (subject.random === true ? randomPasses : 1);
    ledger.add([
      ...places.map((place, row) => ({ type: 'clean' as const, place, right: !wrong.has(row) })),
      { type: 'cost', stage: 'clean', part: 'sequence', forwards, backwards: 0, seconds },
    ]);
    const standing = ledger.right().length / count;
    onProgress?.({ stage: 'clean', done: places.at(-1)! + 1, total: count, standing });
    await clock.pause();
  }
}

import type { Attack, Threat } from '../attacks/attack.js';
import { checkInterval } from '../attacks/check-interval.js';
import { type AttackRound, type RoundExamples, roundsOf, runAttack } from '../attacks/run-attack.js';
import { TargetOrder } from '../attacks/target-order.js';
import { type Batch, subBatch } from '../data/dataset-tensors.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { confirmMisclassified } from './confirm.js';
import { GradientWatch } from './gradient-watch.js';
import {
  classifierFor,
  countingPasses,
  type ModelUnderTest,
  type PassCount,
  padSingleton,
} from './model-under-test.js';
import { Watch } from './watch.js';

/** The row of a broken example in its batch and its adversarial image, float32, [C, H, W] row-major. */
export interface AdversarialRow {
  readonly row: number;
  readonly image: Float32Array;
}

/**
 * Attacks one batch and returns the broken examples, each with the first image found, over all restarts and targets, that
 * the exact model misclassifies. An image that only the fast classifier misclassifies does not count, and its example stays
 * under attack. Yields the examples broken so far after each step.
 *
 * Every `checkEvery` iterates there is a check for broken examples; with 1, each has its first adversarial image.
 */
export function* attackBatch(
  subject: ModelUnderTest,
  batch: Batch,
  options: {
    readonly attack: Attack;
    readonly threat: Threat;
    readonly seed: number;
    /** Number of classes of the model. */
    readonly classes: number;
    readonly count: PassCount;
    /** Number of iterates from one check for broken examples to the next. @default that of the device */
    readonly checkEvery?: number;
    /** Called at the end with the rows that were not broken and on which no gradient was finite. */
    readonly onBlind?: (rows: readonly number[]) => void;
  },
): Generator<readonly AdversarialRow[], AdversarialRow[], void> {
  const { attack: stated, threat, seed, classes, count } = options;
  // A random model may leave a cycle.
  const attack = subject.random === true && stated.kind === 'pgd' ? { ...stated, cycles: false } : stated;
  const { checkEvery: every = checkInterval(attack.kind, batch.x.device) } = options;
  const classify = countingPasses(padSingleton(subject.exact), count);
  const fast = countingPasses(padSingleton(classifierFor(subject, attack)), count);
  const label = [...batch.labels.numbers()];
  const broken: AdversarialRow[] = [];
  const rounds = roundsOf(attack, classes);
  using order = new TargetOrder(attack, { classifier: fast, norm: threat.norm });
  for (const { backwards } of order.measure(batch)) {
    count.backwards += backwards;
    yield broken;
  }

  using gradients = new GradientWatch(batch.ids.length, batch.x.device);
  for (const round of rounds) {
    if (broken.length === batch.ids.length) break;
    const remaining = rowsWithout(broken, batch.ids.length);
    const examples = examplesOf(batch, { rows: remaining, order, round });
    const confirm = (suspects: Tensor, rows: readonly number[]) => {
      const attacked = rows.map((row) => remaining[row]!);
      const labels = attacked.map((row) => label[row]!);
      const random = subject.random === true;
      const confirmed = confirmMisclassified(suspects, { labels, exact: classify, random });
      for (const [index, image] of confirmed) broken.push({ row: attacked[index]!, image });
      return new Set(confirmed.keys());
    };
    using watch = new Watch({ every, confirm });
    const { observe } = watch;
    try {
      const onGradient = gradients.of(remaining);
      const search = runAttack(attack, fast, examples, { threat, seed, round, observe, onGradient });
      for (const { backwards } of search) {
        count.backwards += backwards;
        yield broken;
      }
      watch.finish();
    } finally {
      for (const part of [examples.x, examples.labels, examples.targets]) part?.dispose();
    }
  }
  options.onBlind?.(gradients.blind(rowsWithout(broken, batch.ids.length)));
  return broken;
}

/** The rows of a batch that are not yet broken. */
function rowsWithout(broken: readonly AdversarialRow[], count: number): readonly number[] {
  const gone = new Set(broken.map(({ row }) => row));
  return Array.from({ length: count }, (_, row) => row).filter((row) => !gone.has(row));
}

/** Newly allocated tensors for the given rows of a batch. */
function examplesOf(
  batch: Batch,
  of: { readonly rows: readonly number[]; readonly order: TargetOrder; readonly round: AttackRound },
): RoundExamples {
  const { rows, order, round } = of;
  return scope(() => {
    const { x, labels, ids } = subBatch(batch, rows);
    return { x, labels, targets: round.rank === 0 ? null : order.targets(round.rank, { rows, labels }), ids };
  });
}

import type { Attack, Threat } from '../attacks/attack.js';
import { targetsOfRank } from '../attacks/losses.js';
import type { Observer } from '../attacks/pgd.js';
import { type AttackRound, type RoundExamples, roundsOf, runAttack } from '../attacks/run-attack.js';
import { type Batch, subBatch } from '../data/dataset-tensors.js';
import { integers } from '../tensor/create.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { confirmMisclassified } from './confirm.js';
import {
  classifierFor,
  countingPasses,
  type ModelUnderTest,
  type PassCount,
  padSingleton,
} from './model-under-test.js';

/** The row of a broken example in its batch and its adversarial image, float32, [C, H, W] row-major. */
export interface AdversarialRow {
  readonly row: number;
  readonly image: Float32Array;
}

/**
 * Attacks one batch and returns the broken examples, each with its first image, over all restarts and targets, that the
 * exact model misclassifies. An image that only the fast classifier misclassifies does not count, and its example stays
 * under attack. Yields the examples broken so far after each step.
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
  },
): Generator<readonly AdversarialRow[], AdversarialRow[], void> {
  const { attack, threat, seed, classes, count } = options;
  const classify = countingPasses(padSingleton(subject.exact), count);
  const fast = countingPasses(padSingleton(classifierFor(subject, attack)), count);
  const label = [...batch.labels.numbers()];
  const broken: AdversarialRow[] = [];
  const rounds = roundsOf(attack, classes);
  // Logits of the clean images, which determine the targets of all rounds.
  using clean = rounds.some(({ rank }) => rank > 0)
    ? scope(() => noGrad(() => fast(batch.x)).detach())
    : null;

  for (const round of rounds) {
    if (broken.length === batch.ids.length) break;
    const remaining = rowsWithout(broken, batch.ids.length);
    const examples = examplesOf(batch, { rows: remaining, clean, round });
    const observe: Observer = ({ x, logits, rows }) => {
      const attacked = rows.map((row) => remaining[row]!);
      const labels = attacked.map((row) => label[row]!);
      const confirmed = confirmMisclassified({ x, logits, labels }, classify, subject.random === true);
      for (const [index, image] of confirmed) broken.push({ row: attacked[index]!, image });
      return confirmed.size === 0 ? null : [...rows.keys()].filter((index) => !confirmed.has(index));
    };
    try {
      for (const { backwards } of runAttack(attack, fast, examples, { threat, seed, round, observe })) {
        count.backwards += backwards;
        yield broken;
      }
    } finally {
      for (const part of [examples.x, examples.labels, examples.targets]) part?.dispose();
    }
  }
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
  {
    rows,
    clean,
    round,
  }: { readonly rows: readonly number[]; readonly clean: Tensor | null; readonly round: AttackRound },
): RoundExamples {
  return scope(() => {
    const { x, labels, ids } = subBatch(batch, rows);
    const targets =
      clean === null || round.rank === 0
        ? null
        : targetsOfRank(clean.indexSelect(0, integers(rows).toDevice(clean.device)), labels, round.rank);
    return { x, labels, targets, ids };
  });
}

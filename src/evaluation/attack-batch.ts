import type { Attack, Threat } from '../attacks/attack.js';
import { targetsOfRank } from '../attacks/losses.js';
import type { Observer } from '../attacks/pgd.js';
import { type AttackRound, type RoundExamples, roundsOf, runAttack } from '../attacks/run-attack.js';
import { type Batch, subBatch } from '../data/dataset-tensors.js';
import { unstackImages } from '../data/image-stack.js';
import type { Classifier } from '../nn/classifier.js';
import { integers } from '../tensor/create.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { misclassified, misclassifiedRows } from './misclassified.js';
import {
  classifierFor,
  countingPasses,
  type ModelUnderTest,
  type PassCount,
  padSingleton,
} from './model-under-test.js';

/** An example that was broken: its place in the batch and the image that did it, float32, [C, H, W] row by row. */
export interface AdversarialRow {
  readonly row: number;
  readonly image: Float32Array;
}

/**
 * Attacks one batch and answers which examples broke, each at the first image, of any restart and target, that the model
 * as it was given misclassifies. An image that only the faster classifier gets wrong goes on being attacked. It pauses
 * after each step and shows those that are broken so far.
 */
export function* attackBatch(
  subject: ModelUnderTest,
  batch: Batch,
  options: {
    readonly attack: Attack;
    readonly threat: Threat;
    readonly seed: number;
    /** How many classes the model knows. */
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
  // What every target is chosen by; the images as they are do not change.
  using clean = rounds.some(({ rank }) => rank > 0)
    ? scope(() => noGrad(() => fast(batch.x)).detach())
    : null;

  for (const round of rounds) {
    if (broken.length === batch.ids.length) break;
    const standing = rowsWithout(broken, batch.ids.length);
    const examples = examplesOf(batch, { rows: standing, clean, round });
    const observe: Observer = ({ x, logits, rows }) => {
      const attacked = rows.map((row) => standing[row]!);
      const labels = attacked.map((row) => label[row]!);
      const confirmed = confirmMisclassified({ x, logits, labels }, classify, subject.random === true);
      for (const [place, image] of confirmed) broken.push({ row: attacked[place]!, image });
      return confirmed.size === 0 ? null : [...rows.keys()].filter((place) => !confirmed.has(place));
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

/** The rows of a batch that no one has broken yet. */
function rowsWithout(broken: readonly AdversarialRow[], count: number): readonly number[] {
  const gone = new Set(broken.map(({ row }) => row));
  return Array.from({ length: count }, (_, row) => row).filter((row) => !gone.has(row));
}

/** Tensors of its own for a part of a batch. */
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

/** The images among `x` that `logits` get wrong and that `classify` gets wrong too, by their place in `x`. */
function confirmMisclassified(
  candidate: { readonly x: Tensor; readonly logits: Tensor; readonly labels: readonly number[] },
  classify: Classifier,
  random: boolean,
): Map<number, Float32Array> {
  const { x, logits, labels } = candidate;
  const wrong = misclassifiedRows(logits, labels);
  if (wrong.length === 0) return new Map();
  return scope(() => {
    const candidates = x.detach().indexSelect(0, integers(wrong).toDevice(x.device)).to('float32');
    const { rows: confirmed } = misclassified(classify, candidates, {
      labels: wrong.map((place) => labels[place]!),
      random,
    });
    if (confirmed.length === 0) return new Map();
    const images = unstackImages(candidates);
    return new Map(confirmed.map((at) => [wrong[at]!, images[at]!]));
  });
}

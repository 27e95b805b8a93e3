import type { GradientAttack, Threat } from '../attacks/attack.js';
import { descend, type Iterate } from '../attacks/descend.js';
import type { Batch } from '../data/tensors.js';
import { integers } from '../tensor/create.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { attackedBy, counted, type PassCount, paired, type Subject } from './subject.js';

/** An example that was broken: its place in the batch and the image that did it, float32, [C, H, W] row by row. */
export interface Broken {
  readonly row: number;
  readonly image: Float32Array;
}

/**
 * Attacks one batch and answers which examples broke, each at the first iterate, of any restart, that the model as it
 * was given misclassifies. An iterate that only the faster classifier gets wrong goes on being attacked.
 */
export function attackBatch(
  subject: Subject,
  batch: Batch,
  options: {
    readonly attack: GradientAttack;
    readonly threat: Threat;
    readonly seed: number;
    readonly count: PassCount;
  },
): Broken[] {
  const { attack, threat, seed, count } = options;
  const { norm, epsilon } = threat;
  const classify = counted(paired(subject.classify), count);
  const fast = counted(paired(attackedBy(subject, attack)), count);
  const broken: Broken[] = [];

  for (let restart = 0; restart < attack.restarts && broken.length < batch.ids.length; restart++) {
    scope(() => {
      const standing = without(batch, broken);
      const { x, labels, ids, rows } = standing;
      const key = { seed, stream: 'attack', restart } as const;
      const start = attack.randomStart ? norm.randomStart(x, { epsilon, key, ids }) : x;
      let label = [...labels.numbers()];
      let attacked = rows;
      let iterates = 0;
      const observe = (iterate: Iterate): number[] => {
        const confirmed = misclassified(iterate.x, iterate.logits, label, classify);
        for (const [place, image] of confirmed) broken.push({ row: attacked[place]!, image });
        const left = attacked.map((_, place) => place).filter((place) => !confirmed.has(place));
        if (iterates++ < attack.steps) count.backwards += left.length === 0 ? 0 : attacked.length;
        attacked = left.map((place) => attacked[place]!);
        label = left.map((place) => label[place]!);
        return left;
      };
      const stepSize = attack.relativeStep * epsilon;
      descend(fast, { x, labels, start }, { norm, epsilon, steps: attack.steps, stepSize }, observe);
    });
  }
  return broken;
}

/** The part of a batch that no one has broken yet, with each example's row in the whole. */
function without(batch: Batch, broken: readonly Broken[]): Batch & { readonly rows: readonly number[] } {
  const gone = new Set(broken.map(({ row }) => row));
  const rows = batch.ids.map((_, row) => row).filter((row) => !gone.has(row));
  if (gone.size === 0) return { ...batch, rows };
  const places = integers(rows).toDevice(batch.x.device);
  return {
    x: batch.x.indexSelect(0, places),
    labels: batch.labels.indexSelect(0, places),
    ids: rows.map((row) => batch.ids[row]!),
    rows,
  };
}

/** The images among `x` that `logits` get wrong and that `classify` gets wrong too, by their place in `x`. */
function misclassified(
  x: Tensor,
  logits: Tensor,
  labels: readonly number[],
  classify: (x: Tensor) => Tensor,
): Map<number, Float32Array> {
  const wrong = differs(logits, labels);
  if (wrong.length === 0) return new Map();
  return scope(() => {
    const candidates = x.detach().indexSelect(0, integers(wrong).toDevice(x.device)).to('float32');
    const certain = noGrad(() => classify(candidates));
    const confirmed = differs(
      certain,
      wrong.map((place) => labels[place]!),
    );
    if (confirmed.length === 0) return new Map();
    const images = candidates.data() as Float32Array;
    const length = images.length / wrong.length;
    return new Map(confirmed.map((at) => [wrong[at]!, images.slice(at * length, (at + 1) * length)]));
  });
}

/** Where the largest logit is not the label's. An example with a logit that is no number counts as wrong. */
export function differs(logits: Tensor, labels: readonly number[]): number[] {
  return scope(() => {
    const plain = logits.detach();
    const [predicted, largest] = [plain.argmax(1).numbers(), plain.max([1]).numbers()]; // NaN is the largest of all
    return labels
      .map((_, place) => place)
      .filter((place) => predicted[place] !== labels[place] || Number.isNaN(largest[place]));
  });
}

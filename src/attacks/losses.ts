import { InputError } from '../errors.js';
import { crossEntropy } from '../nn/losses.js';
import { range, where, zerosLike } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * What an attack climbs, for each example: logits [N, classes], labels and targets int64 [N] → [N]. Losses without a
 * target do not look at `targets`.
 */
export type AttackLoss = (logits: Tensor, labels: Tensor, targets: Tensor) => Tensor;

/**
 * With z_y the label's logit, z_t the target's, and z_(1) ≥ z_(2) ≥ … all of them in order:
 *
 *     ce                −log softmax(z)_y
 *     margin            max_{i≠y} z_i − z_y                                      Carlini and Wagner, 2017
 *     dlr               (max_{i≠y} z_i − z_y) / (z_(1) − z_(3))                  Croce and Hein, 2020; 3 classes or more
 *     targeted-margin   z_t − z_y
 *     targeted-dlr      (z_t − z_y) / (z_(1) − (z_(3) + z_(4)) / 2)              4 classes or more
 */
export const attackLosses = {
  ce: (logits, labels) => crossEntropy(logits, labels, { reduction: 'none' }),
  margin: (logits, labels) => rival(logits, labels).sub(of(logits, labels)),
  dlr(logits, labels) {
    const { values } = logits.topk(3); // [N, 3]
    const scale = at(values, 0).sub(at(values, 2)).add(tiny);
    return rival(logits, labels).sub(of(logits, labels)).div(scale);
  },
  'targeted-margin': (logits, labels, targets) => of(logits, targets).sub(of(logits, labels)),
  'targeted-dlr'(logits, labels, targets) {
    const { values } = logits.topk(4); // [N, 4]
    const scale = at(values, 0)
      .sub(at(values, 2).add(at(values, 3)).mul(0.5))
      .add(tiny);
    return of(logits, targets).sub(of(logits, labels)).div(scale);
  },
} as const satisfies Readonly<Record<string, AttackLoss>>;

export type AttackLossName = keyof typeof attackLosses;

/** Keeps the quotients finite where the logits are all equal; the reference's number. */
const tiny = 1e-12;

/** How many classes the scale of a loss needs, and what is climbed where there are fewer: its numerator. */
const fewer: Partial<Record<AttackLossName, { readonly classes: number; readonly instead: AttackLossName }>> =
  {
    dlr: { classes: 3, instead: 'margin' },
    'targeted-dlr': { classes: 4, instead: 'targeted-margin' },
  };

/**
 * The loss that is climbed for so many classes: the one asked for, or the plain margin where its scale needs more classes.
 *
 * @throws {InputError} for fewer than two classes: nothing can be mistaken for anything.
 */
export function lossFor(name: AttackLossName, classes: number): AttackLossName {
  requireTwoClasses(classes);
  const need = fewer[name];
  return need === undefined || classes >= need.classes ? name : need.instead;
}

/** How many targets there are to try: every class but the label, at most `most`. */
export function targetsFor(most: number, classes: number): number {
  requireTwoClasses(classes);
  return Math.min(most, classes - 1);
}

function requireTwoClasses(classes: number): void {
  if (classes < 2) throw InputError.expected('a model of at least 2 classes', 'the attack', classes);
}

/** The class that is the `rank`-th most likely (1 is the first) of all but the label. logits [N, classes] → int64 [N]. */
export function targetsOfRank(logits: Tensor, labels: Tensor, rank: number): Tensor {
  const isLabel = range(logits.dimension(1)).toDevice(labels.device).eq(labels.unsqueeze(1)); // [N, classes]
  const labelFirst = where(isLabel, zerosLike(logits).add(Number.POSITIVE_INFINITY), logits);
  return at(labelFirst.topk(rank + 1).indices, rank);
}

/** The logits of one class an example, [N]. */
function of(logits: Tensor, classes: Tensor): Tensor {
  return logits.gather(1, classes.unsqueeze(1)).flatten();
}

/** The largest logit of all but the label's, [N]. */
function rival(logits: Tensor, labels: Tensor): Tensor {
  const { values, indices } = logits.topk(2);
  return where(at(indices, 0).eq(labels), at(values, 1), at(values, 0));
}

/** One column of [N, K], [N]. */
function at(columns: Tensor, place: number): Tensor {
  return columns.narrow(1, place, 1).flatten();
}

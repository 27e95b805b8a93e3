import { InputError } from '../errors.js';
import { crossEntropy } from '../nn/losses.js';
import { range, where, zerosLike } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Per-example loss that an attack maximises: logits [N, classes], labels and targets int64 [N] → [N]. Untargeted losses
 * ignore `targets`.
 */
export type AttackLoss = (logits: Tensor, labels: Tensor, targets: Tensor) => Tensor;

/**
 * A denominator that is not finite, as with a logit of −∞, is replaced by 1.
 *
 * With z_y the logit of the label, z_t that of the target, and z_(1) ≥ z_(2) ≥ … the sorted logits:
 *
 *     ce                −log softmax(z)_y
 *     margin            max_{i≠y} z_i − z_y                                      Carlini and Wagner, 2017
 *     dlr               (max_{i≠y} z_i − z_y) / (z_(1) − z_(3))                  Croce and Hein, 2020; 3 classes or more
 *     targeted-margin   z_t − z_y
 *     targeted-dlr      (z_t − z_y) / (z_(1) − (z_(3) + z_(4)) / 2)              4 classes or more
 */
export const attackLosses = {
  ce: (logits, labels) => crossEntropy(logits, labels, { reduction: 'none' }),
  margin: (logits, labels) => largestOther(logits, labels).sub(logitOf(logits, labels)),
  dlr(logits, labels) {
    const { values } = logits.topk(3); // [N, 3]
    const scale = column(values, 0).sub(column(values, 2)).add(tiny);
    return largestOther(logits, labels).sub(logitOf(logits, labels)).div(orOne(scale));
  },
  'targeted-margin': (logits, labels, targets) => logitOf(logits, targets).sub(logitOf(logits, labels)),
  'targeted-dlr'(logits, labels, targets) {
    const { values } = logits.topk(4); // [N, 4]
    const scale = column(values, 0)
      .sub(column(values, 2).add(column(values, 3)).mul(0.5))
      .add(tiny);
    return logitOf(logits, targets).sub(logitOf(logits, labels)).div(orOne(scale));
  },
} as const satisfies Readonly<Record<string, AttackLoss>>;

export type AttackLossName = keyof typeof attackLosses;

/** Avoids division by zero when all logits are equal; the reference's constant. */
const tiny = 1e-12;

/** The number of classes a loss requires, and the loss that replaces it with fewer: its numerator. */
const fewer: Partial<Record<AttackLossName, { readonly classes: number; readonly instead: AttackLossName }>> =
  {
    dlr: { classes: 3, instead: 'margin' },
    'targeted-dlr': { classes: 4, instead: 'targeted-margin' },
  };

/**
 * The loss to use with this many classes: the given one, or the plain margin if its denominator needs more classes.
 *
 * @throws {InputError} for fewer than two classes.
 */
export function lossFor(name: AttackLossName, classes: number): AttackLossName {
  requireTwoClasses(classes);
  const need = fewer[name];
  return need === undefined || classes >= need.classes ? name : need.instead;
}

/** The number of target classes: every class but the label, at most `most`. */
export function targetsFor(most: number, classes: number): number {
  requireTwoClasses(classes);
  return Math.min(most, classes - 1);
}

function requireTwoClasses(classes: number): void {
  if (classes < 2) throw InputError.expected('a model of at least 2 classes', 'the attack', classes);
}

/** The `rank`-th most likely class (from 1) other than the label. logits [N, classes] → int64 [N]. */
export function targetsOfRank(logits: Tensor, labels: Tensor, rank: number): Tensor {
  const isLabel = range(logits.dimension(1), labels.device).eq(labels.unsqueeze(1)); // [N, classes]
  const labelFirst = where(isLabel, zerosLike(logits).add(Number.POSITIVE_INFINITY), logits);
  return column(labelFirst.topk(rank + 1).indices, rank);
}

/** The scale, and 1 where it is not finite, so that the attack maximises the plain margin. */
function orOne(scale: Tensor): Tensor {
  return where(scale.isFinite(), scale, zerosLike(scale).add(1));
}

/** Logit of the given class of each example, [N]. */
function logitOf(logits: Tensor, classes: Tensor): Tensor {
  return logits.gather(1, classes.unsqueeze(1)).flatten();
}

/** Largest logit other than the label's, [N]. */
function largestOther(logits: Tensor, labels: Tensor): Tensor {
  const { values, indices } = logits.topk(2);
  return where(column(indices, 0).eq(labels), column(values, 1), column(values, 0));
}

/** One column of [N, K], [N]. */
function column(matrix: Tensor, index: number): Tensor {
  return matrix.narrow(1, index, 1).flatten();
}

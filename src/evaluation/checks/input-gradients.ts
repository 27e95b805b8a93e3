import { attackLosses, lossFor } from '../../attacks/losses.js';
import { EngineError } from '../../errors.js';
import { gradient, withGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import { misclassifiedRows } from '../misclassified.js';
import { padSingleton } from '../model-under-test.js';
import type { Flag } from './flag.js';
import type { Probe } from './probe.js';
import { thresholds } from './thresholds.js';

/** The losses whose gradients attacks climb. */
const losses = { 'cross-entropy': 'ce', margin: 'margin', DLR: 'dlr' } as const;
type Loss = keyof typeof losses;

export interface InputGradients {
  /** How many images were looked at. */
  readonly count: number;
  /** Of how many the gradient is exactly 0, or no number. */
  readonly zero: Readonly<Record<Loss, number>>;
  readonly notFinite: number;
}

/**
 * The gradients of what attacks differentiate, at random points of the ball that are classified rightly: where the label is
 * the third class already, DLR is 1 and has no slope by its nature. null where there is no gradient at all.
 */
export function inputGradients({
  subject,
  batch,
  labels,
  classes,
  threat,
  seed,
}: Probe): InputGradients | null {
  return scope(() => {
    const key = { seed, stream: 'attack' } as const;
    const start = threat.norm.randomStart(batch.x, { epsilon: threat.epsilon, key, ids: batch.ids });
    const point = start.detach().requireGrad_();
    const logits = withGrad(() => padSingleton(subject.fast)(point));
    if (!logits.requiresGrad) return null;
    const wrong = new Set(misclassifiedRows(logits, labels));
    const rows = [...labels.keys()].filter((row) => !wrong.has(row));
    const steepest = (loss: Loss) => {
      const climbed = attackLosses[lossFor(losses[loss], classes)];
      const sum = withGrad(() => climbed(logits, batch.labels, batch.labels).sum());
      const each = gradient(sum, point, { retainGraph: true }).abs().max([1, 2, 3]).numbers();
      return rows.map((row) => each[row]!);
    };
    try {
      const [ce, margin, dlr] = [steepest('cross-entropy'), steepest('margin'), steepest('DLR')];
      const zeros = (slopes: readonly number[]) => slopes.filter((slope) => slope === 0).length;
      return {
        count: rows.length,
        zero: { 'cross-entropy': zeros(ce), margin: zeros(margin), DLR: zeros(dlr) },
        notFinite: rows.filter((_, at) => ![ce[at], margin[at], dlr[at]].every(Number.isFinite)).length,
      };
    } catch (error) {
      if (error instanceof EngineError) return null; // the image does not lead to the logits
      throw error;
    }
  });
}

/** What the gradients say. */
export function gradientFlags(found: InputGradients | null): Flag[] {
  if (found === null)
    return [
      {
        code: 'zero-gradients',
        message: `The model cannot be differentiated with respect to its input: attacks along a gradient stay where they start, and the number says nothing about them. ${instead}`,
      },
    ];
  const { count, zero, notFinite } = found;
  const flags: Flag[] = [];
  const many = (loss: Loss) => zero[loss] > thresholds.zeroGradients * count;
  if (many('margin') || many('DLR')) {
    const shares = Object.entries(zero).map(([loss, each]) => `${each} for ${loss}`);
    flags.push({
      code: 'zero-gradients',
      message: `Of ${count} images that stand at a random point of the ball, so many have an input gradient of exactly 0 there: ${shares.join(', ')}. Attacks along a gradient stay where they start, so what stands may stand for that reason alone. ${instead}`,
    });
  } else if (many('cross-entropy'))
    flags.push({
      code: 'saturated-logits',
      message: `Of ${count} images that stand at a random point of the ball, ${zero['cross-entropy']} have a cross-entropy gradient of exactly 0 there, though the margin has one: the logits are so large that the softmax is 0 and 1 to the last bit. Attacks on the cross-entropy are blind; use apgd-dlr, apgd-t, fab-t or pgd-cw-50, or divide the logits by a constant.`,
    });
  if (notFinite > 0)
    flags.push({
      code: 'gradient-not-finite',
      message: `Of ${count} images ${notFinite} have an input gradient that is no finite number, so attacks along it fail. Look for a division by 0, a square root at 0 or an overflow in the model, and add a small constant there.`,
    });
  return flags;
}

const instead =
  'Add square, which needs no gradient, and attack through the derivative of a smooth function in place of the step that has none (a surrogate derivative for an activation).';

import { attackLosses, lossFor } from '../../attacks/losses.js';
import { EngineError } from '../../errors.js';
import { gradient, withGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import { misclassifiedRows } from '../misclassified.js';
import { padSingleton } from '../model-under-test.js';
import type { Flag } from './flag.js';
import type { Probe } from './probe.js';
import { thresholds } from './thresholds.js';

/** The losses whose gradients the attacks use. */
const losses = { 'cross-entropy': 'ce', margin: 'margin', DLR: 'dlr' } as const;
type Loss = keyof typeof losses;

export interface InputGradients {
  /** Number of images tested. */
  readonly count: number;
  /** Number of images whose gradient is exactly 0, and number whose gradient is not finite. */
  readonly zero: Readonly<Record<Loss, number>>;
  readonly notFinite: number;
}

/** The model is not differentiable. */
export interface MissingGradient {
  /** Why, as a clause. */
  readonly missing: string;
}

/**
 * Input gradients of the attack losses at random points of the ball, restricted to correctly classified ones: where the
 * label is only the third most likely class, DLR is constant 1 and its gradient is 0 by construction.
 */
export function inputGradients({
  subject,
  batch,
  labels,
  classes,
  threat,
  seed,
}: Omit<Probe, 'logits'>): InputGradients | MissingGradient {
  return scope(() => {
    const key = { seed, stream: 'attack' } as const;
    const start = threat.norm.randomStart(batch.x, { epsilon: threat.epsilon, key, ids: batch.ids });
    const point = start.detach().requireGrad_();
    const logits = withGrad(() => padSingleton(subject.fast)(point));
    if (!logits.requiresGrad) return { missing: 'its outputs are not differentiable functions of the image' };
    const errors = new Set(misclassifiedRows(logits, labels));
    const rows = [...labels.keys()].filter((row) => !errors.has(row));
    const largestEntry = (loss: Loss) => {
      const objective = attackLosses[lossFor(losses[loss], classes)];
      const sum = withGrad(() => objective(logits, batch.labels, batch.labels).sum());
      const each = gradient(sum, point, { retainGraph: true }).abs().max([1, 2, 3]).numbers();
      return rows.map((row) => each[row]!);
    };
    try {
      const [ce, margin, dlr] = [largestEntry('cross-entropy'), largestEntry('margin'), largestEntry('DLR')];
      const zeros = (slopes: readonly number[]) => slopes.filter((slope) => slope === 0).length;
      return {
        count: rows.length,
        zero: { 'cross-entropy': zeros(ce), margin: zeros(margin), DLR: zeros(dlr) },
        notFinite: rows.filter((_, row) => ![ce[row], margin[row], dlr[row]].every(Number.isFinite)).length,
      };
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const text = error.message.replace(/[.\s]+$/, '');
      return /derivative/.test(text)
        ? { missing: `libtorch says: ${text}` }
        : { missing: 'its outputs do not depend on the image' };
    }
  });
}

/** The flags raised by the input gradients. */
export function gradientFlags(found: InputGradients | MissingGradient): Flag[] {
  if ('missing' in found)
    return [
      {
        code: 'zero-gradients',
        message: `The model cannot be differentiated with respect to its input: gradient-based attacks do not move from their start, and their results say nothing about its robustness. ${instead}`,
      },
    ];
  const { count, zero, notFinite } = found;
  const flags: Flag[] = [];
  const many = (loss: Loss) => zero[loss] > thresholds.zeroGradients * count;
  if (many('margin') || many('DLR')) {
    const shares = Object.entries(zero).map(([loss, each]) => `${each} with ${loss}`);
    flags.push({
      code: 'zero-gradients',
      message: `Of ${count} images at a random start in the ball, the input gradient is exactly 0 for: ${shares.join(', ')}. Gradient-based attacks do not move from their start, so examples may appear robust for that reason alone. ${instead}`,
    });
  } else if (many('cross-entropy'))
    flags.push({
      code: 'saturated-logits',
      message: `Of ${count} images at a random start in the ball, ${zero['cross-entropy']} have a cross-entropy gradient of exactly 0, but a nonzero gradient of the margin: the logits are so large that the softmax saturates at 0 and 1. Attacks on the cross-entropy fail; use apgd-dlr, apgd-t, fab-t or pgd-cw-50, or divide the logits by a constant.`,
    });
  if (notFinite > 0)
    flags.push({
      code: 'gradient-not-finite',
      message: `Of ${count} images ${notFinite} have an input gradient that is not finite, so gradient-based attacks take no step there or a wrong one, and the robust accuracy may be too high. Add square, and look for a division by 0, a square root at 0 or an overflow in the model, and add a small constant there.`,
    });
  return flags;
}

const instead =
  'Add square, which is gradient-free, and replace the derivative of the non-differentiable operation by that of a smooth function (a surrogate derivative for an activation).';

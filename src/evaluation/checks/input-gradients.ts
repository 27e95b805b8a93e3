import { attackLosses, lossFor } from '../../attacks/attack-losses.js';
import { EngineError } from '../../errors.js';
import { gradient, withGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { paired } from '../subject.js';
import type { Flag } from './flag.js';
import type { Probe } from './probe.js';
import { thresholds } from './thresholds.js';

/** The losses whose gradients attacks climb. */
const losses = { 'cross-entropy': 'ce', margin: 'margin', DLR: 'dlr' } as const;
type Loss = keyof typeof losses;

/** How many images have a gradient of exactly 0, and one that is no number, for each loss. */
export type InputGradients = Readonly<Record<Loss, { readonly zero: number; readonly notFinite: number }>>;

/** The gradients of what attacks differentiate, at random points of the ball; null where it has none at all. */
export function inputGradients({ subject, batch, classes, threat, seed }: Probe): InputGradients | null {
  return scope(() => {
    const key = { seed, stream: 'attack' } as const;
    const start = threat.norm.randomStart(batch.x, { epsilon: threat.epsilon, key, ids: batch.ids });
    const point = start.detach().requireGrad_();
    const logits = withGrad(() => paired(subject.fast)(point));
    if (!logits.requiresGrad) return null;
    const count = (loss: Loss) => {
      const each = withGrad(() =>
        attackLosses[lossFor(losses[loss], classes)](logits, batch.labels, batch.labels).sum(),
      );
      const steepest = largest(gradient(each, point, { retainGraph: true }));
      return {
        zero: steepest.filter((slope) => slope === 0).length,
        notFinite: steepest.filter((slope) => !Number.isFinite(slope)).length,
      };
    };
    try {
      return { 'cross-entropy': count('cross-entropy'), margin: count('margin'), DLR: count('DLR') };
    } catch (error) {
      if (error instanceof EngineError) return null; // the image does not lead to the logits
      throw error;
    }
  });
}

function largest(slopes: Tensor): readonly number[] {
  return [...slopes.abs().max([1, 2, 3]).numbers()];
}

/** What the gradients say, `count` images having been looked at. */
export function gradientFlags(found: InputGradients | null, count: number): Flag[] {
  if (found === null)
    return [
      {
        code: 'zero-gradients',
        message: `The model cannot be differentiated with respect to its input: attacks along a gradient stay where they start, and the number says nothing about them. ${instead}`,
      },
    ];
  const flags: Flag[] = [];
  const many = (loss: Loss) => found[loss].zero > thresholds.zeroGradients * count;
  const shares = (Object.keys(losses) as Loss[]).map((loss) => `${found[loss].zero} for ${loss}`).join(', ');
  if (many('margin') || many('DLR'))
    flags.push({
      code: 'zero-gradients',
      message: `Of ${count} images so many have an input gradient of exactly 0: ${shares}. Attacks along a gradient stay where they start there, so what stands may stand for that reason alone. ${instead}`,
    });
  else if (many('cross-entropy'))
    flags.push({
      code: 'saturated-logits',
      message: `Of ${count} images ${found['cross-entropy'].zero} have a cross-entropy gradient of exactly 0, though the margin has one: the logits are so large that the softmax is 0 and 1 to the last bit. Attacks on the cross-entropy are blind; use apgd-dlr, apgd-t, fab-t or pgd-cw-50, or divide the logits by a constant.`,
    });
  const broken = Math.max(...Object.values(found).map(({ notFinite }) => notFinite));
  if (broken > 0)
    flags.push({
      code: 'gradient-not-finite',
      message: `Of ${count} images ${broken} have an input gradient that is no finite number, so attacks along it fail. Look for a division by 0, a square root at 0 or an overflow in the model, and add a small constant there.`,
    });
  return flags;
}

const instead =
  'Add square, which needs no gradient, and attack through a smooth stand-in for the step that has no derivative (--surrogate for an activation).';

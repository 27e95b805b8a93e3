import { parseDerivative } from './activations/parse.js';
import { norms } from './attacks/norms.js';
import type { Pass } from './nn/module.js';
import type { Recipe } from './recipe.js';
import { type AdversarialOptions, adversarial } from './training/adversarial.js';
import { free } from './training/free.js';
import { mart } from './training/mart.js';
import { adversarialCrossEntropy, clean, type Objective, update } from './training/objective.js';
import { trades } from './training/trades.js';
import type { Start, TrainingAttack } from './training/training-attack.js';

/** The objective that a recipe names, with the settings of its attack: docs/training.md tells what each one is. */
export function objectiveOf({ training, threat }: Recipe): Objective {
  if (training.objective === 'clean') return clean({ labelSmoothing: training.labelSmoothing });
  const norm = norms[threat.norm];
  const { epsilon } = threat;
  if (training.objective === 'free') {
    const { labelSmoothing, attack } = training;
    const { replays, epsilonWarmup } = attack;
    const stepSize = attack.stepSize ?? epsilon;
    return free({ norm, epsilon, stepSize, replays, labelSmoothing, pass: update, epsilonWarmup });
  }

  const attack = (steps: number, usualStep: number, start: Start): TrainingAttack => ({
    norm,
    epsilon,
    steps,
    stepSize: training.attack.stepSize ?? usualStep,
    start,
    batchNorm: training.attack.batchNorm,
    epsilonWarmup: training.attack.epsilonWarmup,
    stepWarmup: training.attack.stepWarmup,
    ...(training.derivatives.attack !== null && {
      derivative: parseDerivative(training.derivatives.attack),
    }),
  });
  const options = {
    pass: updatePass(training.derivatives.update),
    ...(training.awp !== null && { awp: training.awp }),
    ...('gradAlign' in training && training.gradAlign !== null && { gradAlign: training.gradAlign }),
  } satisfies Partial<AdversarialOptions>;

  switch (training.objective) {
    case 'pgd': {
      const { steps, randomStart } = training.attack;
      // One step is as long as Fast adversarial training takes it (Wong et al., 2020); more steps share 2.5 ε.
      const step = steps === 1 ? 1.25 * epsilon : (2.5 * epsilon) / steps;
      const made = attack(steps, step, { kind: randomStart ? 'uniform' : 'image' });
      return adversarial({
        ...options,
        attack: made,
        loss: adversarialCrossEntropy(training.labelSmoothing),
      });
    }
    case 'fast': {
      const made = attack(1, 1.25 * epsilon, { kind: 'uniform' });
      return adversarial({
        ...options,
        attack: made,
        loss: adversarialCrossEntropy(training.labelSmoothing),
      });
    }
    case 'sat': {
      const { steps, cleanStart, clipStart } = training.attack;
      const made = attack(steps, 0, { kind: 'sat', clean: cleanStart, clip: clipStart });
      // As the released code: however short the step is set, all of them together reach ε.
      const reaching = { ...made, stepSize: Math.max(made.stepSize, epsilon / steps) };
      const loss = adversarialCrossEntropy(training.labelSmoothing);
      return adversarial({ ...options, attack: reaching, loss });
    }
    case 'trades': {
      const { beta, labelSmoothing } = training;
      const made = attack(training.attack.steps, tradesStep * epsilon, tradesStart);
      return adversarial({
        ...options,
        attack: { ...made, loss: 'kl' },
        loss: trades({ beta, labelSmoothing }),
      });
    }
    case 'mart': {
      const made = attack(training.attack.steps, tradesStep * epsilon, tradesStart);
      return adversarial({ ...options, attack: made, loss: mart({ beta: training.beta }) });
    }
  }
}

/** Steps of 0.007 at ε = 0.031, and a start beside the image (Zhang et al., 2019); MART takes both over. */
const tradesStep = 7 / 31;
const tradesStart: Start = { kind: 'normal', deviation: 0.001 };

function updatePass(derivative: string | null): Pass {
  return derivative === null ? update : { ...update, derivative: parseDerivative(derivative) };
}

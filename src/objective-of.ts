import { parseDerivative } from './activations/parse.js';
import { norms } from './attacks/norms.js';
import type { Pass } from './nn/module.js';
import type { Recipe } from './recipe.js';
import { type AdversarialOptions, adversarial } from './training/adversarial.js';
import { adversarialCrossEntropy, clean, type Objective, update } from './training/objective.js';
import type { Start, TrainingAttack } from './training/training-attack.js';

/** The objective that a recipe names, with the settings of its attack: docs/training.md tells what each one is. */
export function objectiveOf({ training, threat }: Recipe): Objective {
  if (training.objective === 'clean') return clean({ labelSmoothing: training.labelSmoothing });
  const norm = norms[threat.norm];
  const { epsilon } = threat;
  if (training.objective === 'free') throw new Error('not yet');

  const { derivatives } = training;
  const attack = (steps: number, usualStep: number, start: Start): TrainingAttack => ({
    norm,
    epsilon,
    steps,
    stepSize: training.attack.stepSize ?? usualStep,
    start,
    batchNorm: training.attack.batchNorm,
    epsilonWarmup: training.attack.epsilonWarmup,
    stepWarmup: training.attack.stepWarmup,
    ...(derivatives.attack !== null && { derivative: parseDerivative(derivatives.attack) }),
  });
  const pass: Pass =
    derivatives.update === null ? update : { ...update, derivative: parseDerivative(derivatives.update) };
  const options: Pick<AdversarialOptions, 'pass'> = { pass };

  switch (training.objective) {
    case 'pgd': {
      const { steps, randomStart } = training.attack;
      // One step is as long as Fast adversarial training takes it (Wong et al., 2020); more steps share 2.5 ε.
      const step = steps === 1 ? 1.25 * epsilon : (2.5 * epsilon) / steps;
      const loss = adversarialCrossEntropy(training.labelSmoothing);
      return adversarial({
        ...options,
        attack: attack(steps, step, { kind: randomStart ? 'uniform' : 'image' }),
        loss,
      });
    }
    case 'fast': {
      const loss = adversarialCrossEntropy(training.labelSmoothing);
      return adversarial({ ...options, attack: attack(1, 1.25 * epsilon, { kind: 'uniform' }), loss });
    }
    case 'sat': {
      const { steps, cleanStart, clipStart } = training.attack;
      const made = attack(steps, 0, { kind: 'sat', clean: cleanStart, clip: clipStart });
      // As the released code: however short the step is set, all of them together reach ε.
      const stepSize = Math.max(made.stepSize, epsilon / steps);
      return adversarial({
        ...options,
        attack: { ...made, stepSize },
        loss: adversarialCrossEntropy(training.labelSmoothing),
      });
    }
    case 'trades':
    case 'mart':
      throw new Error('not yet');
  }
}

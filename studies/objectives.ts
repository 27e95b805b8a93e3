import type { Recipe } from '../src/recipe/recipe.js';
import { type Arm, type Study, withActivation, withTraining } from './study.js';

/** What belongs to one objective alone, and goes when another takes its place. */
export const own = ['objective', 'attack', 'derivatives', 'awp', 'gradAlign', 'beta', 'labelSmoothing'];

const objective = (fields: (epsilon: number) => object) => (base: Recipe) =>
  withTraining((training) => ({
    ...Object.fromEntries(Object.entries(training).filter(([key]) => !own.includes(key))),
    ...fields(base.threat.epsilon),
  }))(base);

const objectives: Readonly<Record<string, (base: Recipe) => object>> = {
  pgd: (base) => base,
  fast: objective(() => ({ objective: 'fast' })),
  free: objective(() => ({ objective: 'free' })),
  trades: objective((epsilon) => ({
    objective: 'trades',
    attack: { steps: 4, stepSize: (2.5 * epsilon) / 4 },
  })),
  mart: objective((epsilon) => ({ objective: 'mart', attack: { steps: 4, stepSize: (2.5 * epsilon) / 4 } })),
};

export const objectivesStudy: Study = {
  name: 'objectives',
  question: 'Does the gain depend on the training objective?',
  source: 'Not in the paper, which trains with PGD alone',
  reading:
    'Each objective is a pair of its own. Objectives cost different time a step, so the rows of one activation are no race ' +
    'between them.',
  arms: Object.entries(objectives).flatMap(([name, change]): Arm[] => [
    { name: `relu-${name}`, change: (base) => change(withActivation('relu')(base) as Recipe), against: null },
    {
      name: `silu-${name}`,
      change: (base) => change(withActivation('silu')(base) as Recipe),
      against: `relu-${name}`,
    },
  ]),
};

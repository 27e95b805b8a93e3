import type { Recipe } from '../src/recipe/recipe.js';
import { own } from './objectives.js';
import { type Arm, type Study, withActivation, withTraining } from './study.js';

/** The authors' weights; the warm-up of the penalty takes a sixteenth of the epochs, as theirs takes 5 of 83. */
const penalised = (base: Recipe) =>
  withTraining((training) => ({
    ...Object.fromEntries(Object.entries(training).filter(([key]) => !own.includes(key))),
    objective: 'gradient-norm',
    penaltyWarmup: training.epochs / 16,
  }))(base) as Recipe;

export const gradientNorm: Study = {
  name: 'gradient-norm',
  question:
    "Without an attack in training, with a penalty on the norm of the input's gradient: how much do smooth activations matter there?",
  source:
    'Rodríguez-Muñoz, Wang and Torralba (2024), whose abstract reports about 23 points of robust accuracy, and about 1 in adversarial training',
  reading:
    'The second derivative of ReLU is 0, so the penalty teaches a ReLU network through its other layers alone. The rows with ' +
    'PGD are adversarial training at the same scale.',
  arms: ['relu', 'silu', 'gelu'].flatMap((activation): Arm[] => {
    const against = activation === 'relu' ? null : 'relu';
    return [
      {
        name: activation,
        change: (base) => withActivation(activation)(penalised(base)),
        against,
      },
      {
        name: `${activation}-pgd`,
        change: withActivation(activation),
        against: against && `${against}-pgd`,
      },
    ];
  }),
};

import type { Recipe } from '../src/recipe/recipe.js';
import { type Arm, type Study, withActivation, withTraining } from './study.js';

const arms = ['relu', 'softplus(10)', 'elu', 'gelu', 'silu'].map(
  (name): Arm => ({ name, change: withActivation(name), against: name === 'relu' ? null : 'relu' }),
);

export const weightDecay: Study = {
  name: 'weight-decay',
  question: 'Is a smooth activation better than ReLU when each has the weight decay that suits it?',
  source: 'Not in the paper; Pang et al. (2021) find that weight decay decides more than most tricks',
  reading:
    'Every activation chooses its weight decay of the same values on validation images and is then measured with fresh seeds, ' +
    'so no activation has the advantage of settings that were chosen for it.',
  arms,
  tuning: {
    setting: 'weight decay',
    values: [1e-4, 5e-4, 1e-3, 2e-3],
    change: (value) => (recipe: Recipe) =>
      withTraining((training) => ({ ...training, optimizer: { ...training.optimizer, weightDecay: value } }))(
        recipe,
      ),
    seed: 1000,
  },
};

import type { Recipe } from '../src/recipe/recipe.js';
import { type Study, withTraining } from './study.js';

const smooth = 'softplus(10)';

/** Replaces ReLU's derivative in the attack, in the update, in both or in neither; the network stays one with ReLU. */
const derivatives = (attack: string | null, update: string | null) => (base: Recipe) =>
  withTraining((training) => ({ ...training, derivatives: { attack, update } }))({
    ...base,
    model: { ...base.model, activation: 'relu' },
  });

/** The paper's figures: Table 1, ResNet-50, PGD-200. */
export const gradientQuality: Study = {
  name: 'gradient-quality',
  question:
    "Is it the attacker's gradient or the optimiser's that ReLU spoils? The forward pass is always ReLU's; its derivative is " +
    'replaced by that of Parametric Softplus with α = 10.',
  source: 'Table 1',
  reading:
    'In the paper a smooth gradient in the attack costs clean accuracy and gains robustness, one in the update gains both, ' +
    "and their effects add up. The test's attack uses ReLU's own gradient.",
  arms: [
    {
      name: 'neither',
      change: derivatives(null, null),
      against: null,
      paper: { clean: 68.8, robust: 33.0 },
    },
    {
      name: 'attack',
      change: derivatives(smooth, null),
      against: 'neither',
      paper: { clean: 68.3, robust: 34.5 },
    },
    {
      name: 'update',
      change: derivatives(null, smooth),
      against: 'neither',
      paper: { clean: 69.4, robust: 35.8 },
    },
    {
      name: 'both',
      change: derivatives(smooth, smooth),
      against: 'neither',
      paper: { clean: 68.9, robust: 36.9 },
    },
  ],
};

import { type Study, withActivation } from './study.js';

/** The paper's figures: Figure 3, ResNet-50, PGD-200 (the values that the figure shows). */
export const activations: Study = {
  name: 'activations',
  question:
    'Which smooth activations make adversarial training more robust than ReLU, and at what clean accuracy?',
  source: 'Figure 3',
  reading:
    'Every row is one activation in the forward and the backward pass, in attack, update and test. In the paper all smooth ' +
    'ones are more robust than ReLU, and Softplus alone is less accurate.',
  arms: [
    { name: 'relu', change: withActivation('relu'), against: null, paper: { clean: 68.8, robust: 33.0 } },
    {
      name: 'softplus(10)',
      change: withActivation('softplus(10)'),
      against: 'relu',
      paper: { clean: 68.8, robust: 38.7 },
    },
    {
      name: 'softplus',
      change: withActivation('softplus(1)'),
      against: 'relu',
      paper: { clean: 68.36, robust: 40.0 },
    },
    {
      name: 'smooth-relu',
      change: withActivation('smooth-relu'),
      against: 'relu',
      paper: { clean: 69.4, robust: 40.3 },
    },
    { name: 'gelu', change: withActivation('gelu'), against: 'relu', paper: { clean: 69.95, robust: 41.65 } },
    { name: 'elu', change: withActivation('elu'), against: 'relu', paper: { clean: 69.2, robust: 41.7 } },
    { name: 'silu', change: withActivation('silu'), against: 'relu', paper: { clean: 69.73, robust: 42.3 } },
    { name: 'mish', change: withActivation('mish'), against: 'relu' },
  ],
};

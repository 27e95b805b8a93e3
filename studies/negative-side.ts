import { type Study, withActivation } from './study.js';

/** The paper's figures: Figure 3. */
export const negativeSide: Study = {
  name: 'negative-side',
  question: 'Do smooth activations gain because they answer to negative inputs, where ReLU is 0?',
  source: 'Section on SmoothReLU, which is 0 for negative inputs as ReLU is',
  reading:
    'SmoothReLU is smooth and 0 on the negative side; LeakyReLU answers there and has a kink. If smoothness is what matters, ' +
    'SmoothReLU gains and LeakyReLU does not.',
  arms: [
    { name: 'relu', change: withActivation('relu'), against: null, paper: { clean: 68.8, robust: 33.0 } },
    { name: 'leaky-relu', change: withActivation('leaky-relu'), against: 'relu' },
    {
      name: 'smooth-relu',
      change: withActivation('smooth-relu'),
      against: 'relu',
      paper: { clean: 69.4, robust: 40.3 },
    },
    { name: 'elu', change: withActivation('elu'), against: 'relu', paper: { clean: 69.2, robust: 41.7 } },
  ],
};

import { type Arm, type Study, withActivation } from './study.js';

/** With the largest second derivative: none for those with a kink, α/4 for Softplus(α), 1/α for CELU(α). */
const names = [
  'leaky-relu',
  'softplus(1)',
  'softplus(2)',
  'softplus(5)',
  'softplus(10)',
  'softplus(20)',
  'softplus(40)',
  'softplus(100)',
  'celu(0.1)',
  'celu(0.5)',
  'celu(1)',
  'celu(2)',
  'silu',
  'gelu',
];

export const curvature: Study = {
  name: 'curvature',
  question: 'Is it smoothness that makes a network robust, or a low curvature of its activation?',
  source: 'Singla et al. (2021): low curvature; Yu (2026): best with a largest second derivative of 4 to 10',
  reading:
    'The largest second derivative is 0.5 for SiLU, 0.8 for GELU, α/4 for Softplus(α) and 1/α for CELU(α). If low curvature is ' +
    'what helps, robustness falls along Softplus(α) as α grows; if 4 to 10 is best, it peaks at α = 16 to 40.',
  arms: [
    { name: 'relu', change: withActivation('relu'), against: null },
    ...names.map((name): Arm => ({ name, change: withActivation(name), against: 'relu' })),
  ],
};

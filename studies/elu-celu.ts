import { type Arm, type Study, withActivation } from './study.js';

const alphas = [1, 1.25, 1.5, 1.75, 2];

/** Named without the α that is the activation's own. */
const arms = (name: 'elu' | 'celu'): Arm[] =>
  alphas.map((alpha) => ({
    name: `${name}(${alpha})`,
    change: withActivation(`${name}(${alpha})`),
    against: alpha === 1 ? null : `${name}(1)`,
  }));

export const eluCelu: Study = {
  name: 'elu-celu',
  question:
    'Does ELU lose robustness where its derivative jumps, for α other than 1, and CELU, which is smooth for every α, not?',
  source: 'Case study "stabilizing adversarial training with ELU using CELU"; its figures were not read',
  reading:
    'ELU and CELU are the same for α = 1. For larger α the derivative of ELU jumps at 0 from α to 1, and that of CELU does ' +
    'not. Each is compared with its own α = 1.',
  arms: [...arms('elu'), ...arms('celu')],
};

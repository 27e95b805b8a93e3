import { activations } from './activations.js';
import { curvature } from './curvature.js';
import { eluCelu } from './elu-celu.js';
import { gradientNorm } from './gradient-norm.js';
import { gradientQuality } from './gradient-quality.js';
import { negativeSide } from './negative-side.js';
import { objectivesStudy } from './objectives.js';
import { reluRemedies } from './relu-remedies.js';
import { scaling } from './scaling.js';
import type { Study } from './study.js';
import { weightDecay } from './weight-decay.js';

/** All studies, in the order of `satin study --help`. */
export const studies: readonly Study[] = [
  gradientQuality,
  activations,
  negativeSide,
  eluCelu,
  reluRemedies,
  scaling,
  curvature,
  weightDecay,
  objectivesStudy,
  gradientNorm,
];

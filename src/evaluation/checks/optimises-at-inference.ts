import { gradientCalls, noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Flag } from './flag.js';
import { exactClassifier, type Probe } from './probe.js';

/** The model computes gradients in its forward pass. Gradients inside a TorchScript file are not detected. */
export function optimisesAtInference({ subject, batch }: Probe): Flag | null {
  const before = gradientCalls();
  scope(() => noGrad(() => exactClassifier(subject)(batch.x.narrow(0, 0, 1))));
  if (gradientCalls() === before) return null;
  const message =
    'The model computes gradients in its forward pass: it optimises at inference. Attacks that treat it as a fixed function may overestimate its robustness. Also attack the network without that step, and write an adaptive attack (see Croce et al., 2022).';
  return { code: 'optimises-at-inference', message };
}

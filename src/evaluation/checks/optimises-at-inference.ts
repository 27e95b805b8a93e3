import { gradientCalls, noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Flag } from './flag.js';
import { given, type Probe } from './probe.js';

/** The model asks Satin for gradients while it answers. What happens inside a TorchScript file is not seen here. */
export function optimisesAtInference({ subject, batch }: Probe): Flag | null {
  const before = gradientCalls();
  scope(() => noGrad(() => given(subject)(batch.x.narrow(0, 0, 1))));
  if (gradientCalls() === before) return null;
  const message =
    'The model computes gradients while it answers: it optimises at inference. Attacks that treat it as a fixed function may miss most of what breaks it. Attack the network without that step too, and write an attack that knows of it (Croce et al., 2022, show how).';
  return { code: 'optimises-at-inference', message };
}

import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import { misclassifiedRows, randomPasses } from '../misclassified.js';
import type { Flag } from './flag.js';
import { farthest, given, normalised, type Probe } from './probe.js';
import { thresholds } from './thresholds.js';

/** Several passes of the same images differ. */
export function randomizedModel({ subject, batch, labels, logits }: Probe): Flag | null {
  const classify = given(subject);
  const [errors, first] = [misclassifiedRows(logits, labels).length, normalised(logits)];
  const varies = Array.from({ length: thresholds.randomPasses - 1 }).some(() =>
    scope(() => {
      const again = noGrad(() => classify(batch.x));
      return (
        misclassifiedRows(again, labels).length !== errors ||
        farthest(normalised(again), first) > thresholds.randomDistance
      );
    }),
  );
  if (!varies) return null;
  const message = `The model answers differently each time it is shown the same images. An image counted as misclassified where most of ${randomPasses} passes were wrong. If this is not meant, put the model into evaluation mode (dropout stays on in training mode); if it is, use AutoAttack's set rand, which climbs the mean gradient of 20 passes.`;
  return { code: 'random-model', message };
}

import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import { misclassifiedRows, verdictPasses } from '../misclassified.js';
import type { Flag } from './flag.js';
import { exactClassifier, maxDistance, normalised, type Probe } from './probe.js';
import { thresholds } from './thresholds.js';

/** Repeated passes over the same images differ. */
export function randomizedModel({ subject, batch, labels, logits }: Probe): Flag | null {
  const classify = exactClassifier(subject);
  const [errors, first] = [misclassifiedRows(logits, labels).length, normalised(logits)];
  const varies = Array.from({ length: thresholds.randomPasses - 1 }).some(() =>
    scope(() => {
      const again = noGrad(() => classify(batch.x));
      return (
        misclassifiedRows(again, labels).length !== errors ||
        maxDistance(normalised(again), first) > thresholds.randomDistance
      );
    }),
  );
  if (!varies) return null;
  const message = `The model's outputs differ between passes over the same images. An image counted as misclassified if more than half of ${verdictPasses} passes were wrong. If this is unintended, put the model into evaluation mode (dropout is active in training mode); if it is intended, use AutoAttack's set rand, which averages the gradient over 20 passes.`;
  return { code: 'random-model', message };
}

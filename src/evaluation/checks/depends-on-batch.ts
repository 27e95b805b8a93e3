import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Flag } from './flag.js';
import { exactClassifier, maxDistance, normalised, type Probe, spread } from './probe.js';
import { thresholds } from './thresholds.js';

/** Number of images that are also evaluated alone. */
const alone = 4;

/**
 * The logits of an image depend on the rest of its batch. Not applicable to randomized models, whose logits always
 * change.
 */
export function dependsOnBatch({ subject, batch, logits }: Probe): Flag | null {
  const classify = exactClassifier(subject);
  const together = normalised(logits);
  const changed = spread(batch.ids.length, alone).some((row) =>
    scope(() => {
      const single = noGrad(() => classify(batch.x.narrow(0, row, 1)));
      return maxDistance(normalised(single), together.narrow(0, row, 1)) > thresholds.batchDistance;
    }),
  );
  if (!changed) return null;
  const message =
    "An image's outputs depend on the other images of its batch, as with batch norm in training mode: perturbing one image changes the predictions of others, and the results are meaningless. Put the model into evaluation mode (model.eval() before saving) and evaluate again.";
  return { code: 'depends-on-batch', message };
}

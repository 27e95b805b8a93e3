import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Flag } from './flag.js';
import { farthest, given, normalised, type Probe, spread } from './probe.js';
import { thresholds } from './thresholds.js';

/** Images that are shown alone too. */
const alone = 4;

/** An image's logits change with the images beside it. Says nothing of a random model, whose logits change anyway. */
export function dependsOnBatch({ subject, batch, logits }: Probe): Flag | null {
  const classify = given(subject);
  const together = normalised(logits);
  const moved = spread(batch.ids.length, alone).some((row) =>
    scope(() => {
      const single = noGrad(() => classify(batch.x.narrow(0, row, 1)));
      return farthest(normalised(single), together.narrow(0, row, 1)) > thresholds.batchDistance;
    }),
  );
  if (!moved) return null;
  const message =
    "An image's outputs depend on the other images of its batch, as with batch norm in training mode: attacks on one image change the answers to others, and the numbers mean nothing. Put the model into evaluation mode (model.eval() before saving) and evaluate again.";
  return { code: 'depends-on-batch', message };
}

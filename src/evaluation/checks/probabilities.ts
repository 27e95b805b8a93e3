import type { Flag } from './flag.js';
import type { Probe } from './probe.js';
import { thresholds } from './thresholds.js';

/** The outputs of every image lie in [0, 1] and sum to 1. */
export function probabilities({ logits }: Probe): Flag | null {
  const tolerance = thresholds.probability;
  const inside = logits.min().item() >= -tolerance && logits.max().item() <= 1 + tolerance;
  if (
    !inside ||
    !logits
      .sum([1])
      .numbers()
      .every((sum) => Math.abs(sum - 1) <= tolerance)
  )
    return null;
  const message =
    'The outputs are probabilities, not logits: attacks on the cross-entropy apply a softmax to a softmax, and their gradients vanish where the model is confident. Evaluate the model without its last softmax; its predictions are the same.';
  return { code: 'probabilities', message };
}

import type { Flag } from './flag.js';
import type { Probe } from './probe.js';
import { thresholds } from './thresholds.js';

/** The outputs of every image lie in [0, 1] and add up to 1. */
export function probabilities({ logits }: Probe): Flag | null {
  const off = thresholds.probability;
  const inside = logits.min().item() >= -off && logits.max().item() <= 1 + off;
  if (
    !inside ||
    !logits
      .sum([1])
      .numbers()
      .every((sum) => Math.abs(sum - 1) <= off)
  )
    return null;
  const message =
    'The outputs are probabilities, not logits: attacks on the cross-entropy apply a softmax to a softmax, and their gradients fade where the model is sure. Evaluate the model without its last softmax; its answers stay the same.';
  return { code: 'probabilities', message };
}

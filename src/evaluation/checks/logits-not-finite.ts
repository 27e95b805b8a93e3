import type { Flag } from './flag.js';
import type { Probe } from './probe.js';

/** Some logit of an image is infinite or NaN. */
export function logitsNotFinite({ logits, labels }: Probe): Flag | null {
  const values = logits.numbers();
  const classes = logits.dimension(1);
  const rows = [...labels.keys()].map((row) => values.slice(row * classes, (row + 1) * classes));
  const unknown = rows.filter((row) => row.some(Number.isNaN)).length;
  const infinite = rows.filter((row) => !row.some(Number.isNaN) && !row.every(Number.isFinite)).length;
  if (unknown + infinite === 0) return null;
  const message = `Of ${labels.length} images ${infinite} have an infinite logit and ${unknown} one that is NaN. With NaN an image counts as misclassified. Where a loss has no finite denominator, apgd-dlr and apgd-t maximise the plain margin, and a step that is no number is not taken: attacks along the gradient may be too weak. Give the network finite logits, such as a large negative number for a class that is left out, and add square.`;
  return { code: 'logits-not-finite', message };
}

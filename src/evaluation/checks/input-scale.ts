import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { misclassifiedRows } from '../misclassified.js';
import { mcnemar } from '../statistics.js';
import type { Flag } from './flag.js';
import { exactClassifier, type Probe } from './probe.js';
import { thresholds } from './thresholds.js';

/** Other scalings of the pixels, and the message if the model does better with one. Mean and spread are per channel. */
const scales: readonly {
  readonly change: (x: Tensor, mean: Tensor, spread: Tensor) => Tensor;
  readonly expects: string;
}[] = [
  { change: (x) => x.mul(255), expects: 'pixels from 0 to 255' },
  { change: (x) => x.mul(2).sub(1), expects: 'pixels from -1 to 1' },
  {
    change: (x, mean, spread) => x.sub(mean).div(spread),
    expects: 'pixels normalised by mean and standard deviation, which is missing',
  },
  {
    change: (x, mean, spread) => x.mul(spread).add(mean),
    expects: 'pixels in [0, 1]: mean and standard deviation are applied twice',
  },
  { change: (x) => x.add(1).div(2), expects: 'pixels in [0, 1]: they are rescaled to [-1, 1] twice' },
  { change: (x) => x.div(255), expects: 'pixels in [0, 1]: they are multiplied by 255 twice' },
];

/** The model classifies clearly more images correctly with another scaling of the pixels. */
export function inputScale({ subject, batch, labels, logits }: Probe): Flag | null {
  const classify = exactClassifier(subject);
  const errors = new Set(misclassifiedRows(logits, labels));
  const count = labels.length;
  if (errors.size < thresholds.scaleGain * count) return null; // the gain cannot reach the threshold
  return scope(() => {
    const mean = batch.x.mean([0, 2, 3], true); // [1, C, 1, 1]
    const spread = batch.x.sub(mean).pow(2).mean([0, 2, 3], true).sqrt().add(1e-6);
    let best: { readonly gain: number; readonly expects: string } | null = null;
    for (const { change, expects } of scales) {
      const misses = new Set(
        scope(() =>
          misclassifiedRows(
            noGrad(() => classify(change(batch.x, mean, spread))),
            labels,
          ),
        ),
      );
      const won = [...errors].filter((row) => !misses.has(row)).length;
      const lost = [...misses].filter((row) => !errors.has(row)).length;
      const gain = won - lost;
      const clear = gain >= thresholds.scaleGain * count && mcnemar(won, lost) < thresholds.scaleChance;
      if (clear && gain > (best?.gain ?? 0)) best = { gain, expects };
    }
    if (best === null) return null;
    const correct = count - errors.size;
    const message = `Of ${count} images the model classifies ${correct} correctly, but ${correct + best.gain} with another scaling of the input: it seems to expect ${best.expects}. State the range and the normalisation it was trained with only if they are not part of the model.`;
    return { code: 'input-scale', message };
  });
}

import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { misclassifiedRows } from '../misclassified.js';
import { mcnemar } from '../statistics.js';
import type { Flag } from './flag.js';
import { given, type Probe } from './probe.js';
import { thresholds } from './thresholds.js';

/** Other scales of the pixels, and what it means when the model does better with one. Mean and spread are those of the images. */
const scales: readonly {
  readonly change: (x: Tensor, mean: Tensor, spread: Tensor) => Tensor;
  readonly expects: string;
}[] = [
  { change: (x) => x.mul(255), expects: 'pixels from 0 to 255' },
  { change: (x) => x.mul(2).sub(1), expects: 'pixels from -1 to 1' },
  {
    change: (x, mean, spread) => x.sub(mean).div(spread),
    expects: 'pixels with mean and standard deviation taken out, which is missing',
  },
  {
    change: (x, mean, spread) => x.mul(spread).add(mean),
    expects: 'pixels as they are: mean and standard deviation are taken out twice',
  },
  { change: (x) => x.add(1).div(2), expects: 'pixels as they are: they are brought to -1 to 1 twice' },
  { change: (x) => x.div(255), expects: 'pixels as they are: they are multiplied by 255 twice' },
];

/** The model is right about clearly more images when their pixels are scaled in another way. */
export function inputScale({ subject, batch, labels, logits }: Probe): Flag | null {
  const classify = given(subject);
  const wrong = new Set(misclassifiedRows(logits, labels));
  const count = labels.length;
  if (wrong.size < thresholds.scaleGain * count) return null; // no other scale can win that much
  return scope(() => {
    const mean = batch.x.mean([0, 2, 3], true); // [1, C, 1, 1]
    const spread = batch.x.sub(mean).pow(2).mean([0, 2, 3], true).sqrt().add(1e-6);
    let best: { readonly gain: number; readonly expects: string } | null = null;
    for (const { change, expects } of scales) {
      const missed = new Set(
        scope(() =>
          misclassifiedRows(
            noGrad(() => classify(change(batch.x, mean, spread))),
            labels,
          ),
        ),
      );
      const won = [...wrong].filter((place) => !missed.has(place)).length;
      const lost = [...missed].filter((place) => !wrong.has(place)).length;
      const gain = won - lost;
      const clear = gain >= thresholds.scaleGain * count && mcnemar(won, lost) < thresholds.scaleChance;
      if (clear && gain > (best?.gain ?? 0)) best = { gain, expects };
    }
    if (best === null) return null;
    const right = count - wrong.size;
    const message = `Of ${count} images the model gets ${right} right as they are fed to it, and ${right + best.gain} with another scale: it seems to expect ${best.expects}. State the range and the normalisation that it was trained with if they are not inside the model, and only then.`;
    return { code: 'input-scale', message };
  });
}

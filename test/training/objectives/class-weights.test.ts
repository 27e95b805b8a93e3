import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import { integers, tensor } from '../../../src/tensor/create.js';
import { scope } from '../../../src/tensor/scope.js';
import { weightedCrossEntropy, weightedMean } from '../../../src/training/objectives/class-weights.js';

setThreads(1);

/**
 * torch 2.13.0, float64: `CrossEntropyLoss(weight=[0.5, 2, 1], label_smoothing=s)` of these logits and labels for s = 0 and
 * 0.1, and without weight.
 */
const logits = [
  [0.5, -1, 2],
  [1.5, 0.25, -0.5],
  [-2, 1, 0],
  [0, 0, 3],
];
const labels = [2, 0, 1, 1];
const torch = { plain: 1.0092995834122764, weighted: 1.3282104681703368, smoothed: 1.346178476915557 };

const close = (found: number, expected: number) =>
  assert.ok(Math.abs(found - expected) < 1e-12, `${found}, ${expected}`);

const inputs = () => ({
  logits: tensor(Float64Array.from(logits.flat()), [4, 3]),
  labels: integers(labels),
  ofClass: tensor(Float64Array.of(0.5, 2, 1), [3]),
});

describe('the weighted cross-entropy', () => {
  it('is PyTorch’s, with label smoothing too', () =>
    scope(() => {
      const { logits, labels, ofClass } = inputs();
      const weights = { ofClass, mean: (1 + 0.5 + 2 + 2) / 4 };
      const of = (options: Parameters<typeof weightedCrossEntropy>[2]) =>
        weightedCrossEntropy(logits, labels, options).item();
      close(of({ weights: undefined }), torch.plain);
      close(of({ weights }), torch.weighted);
      close(of({ weights, labelSmoothing: 0.1 }), torch.smoothed);
    }));

  it('of equal parts has the mean of the whole batch for its mean, though their own weights differ', () =>
    scope(() => {
      const { logits, labels, ofClass } = inputs();
      const weights = { ofClass, mean: (1 + 0.5 + 2 + 2) / 4 };
      const parts = [0, 2].map((from) =>
        weightedCrossEntropy(logits.narrow(0, from, 2), labels.narrow(0, from, 2), {
          weights,
          labelSmoothing: 0.1,
        }).item(),
      );
      close((parts[0]! + parts[1]!) / 2, torch.smoothed);
    }));
});

it('the weighted mean counts an image as often as its weight says', () =>
  scope(() => {
    const { labels, ofClass } = inputs();
    const each = tensor(Float64Array.of(3, 5, 7, 11), [4]);
    const weights = { ofClass, mean: 5.5 / 4 };
    close(weightedMean(each, labels, weights).item(), (1 * 3 + 0.5 * 5 + 2 * 7 + 2 * 11) / 5.5);
    close(weightedMean(each, labels, undefined).item(), 6.5);
  }));

/** The form of a network's input: range first, then mean and std. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { PreprocessingLayer } from '../../src/models/preprocessing.js';
import { tensor } from '../../src/tensor/create.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';

setThreads(1);

const draw = (shape: readonly [number, ...number[]]) =>
  noise('uniform', {
    key: { seed: 3, stream: 'bench' },
    ids: Array.from({ length: shape[0] }, (_, id) => id),
    shape: shape.slice(1),
  });

describe('the form of the input', () => {
  it('is range first, then mean and std, channel by channel', () => {
    using layer = new PreprocessingLayer({
      range: [-1, 1],
      normalise: { mean: [0.5, -0.5], std: [0.25, 2] },
    });
    const numbers = scope(() => [
      ...layer.forward(tensor(Float32Array.of(0, 1, 0.5, 1), [1, 2, 1, 2])).numbers(),
    ]);
    assert.deepEqual(numbers, [-6, 2, 0.25, 0.75]);
  });

  it('is one number for all channels, or one for each', () => {
    using layer = new PreprocessingLayer({ range: [0, 255], normalise: { mean: [51], std: [2] } });
    scope(() => {
      assert.deepEqual(
        [...layer.forward(tensor(Float32Array.of(1, 0, 0.2), [1, 3, 1, 1])).numbers()],
        [102, -25.5, 0],
      );
      using three = new PreprocessingLayer({ range: [0, 1], normalise: { mean: [0, 0, 0], std: [1, 1, 1] } });
      assert.throws(
        () => three.forward(draw([1, 2, 8, 8])),
        /Expected 2 numbers, one per channel, for `mean` and `std`/,
      );
    });
  });

  it('leaves pixels alone where nothing is said', () => {
    using layer = new PreprocessingLayer({ range: [0, 1], normalise: null });
    scope(() => {
      const x = draw([2, 3, 4, 4]);
      assert.deepEqual(layer.forward(x).data(), x.data());
    });
  });
});

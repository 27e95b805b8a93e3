/** The kernel that steps to a hyperplane, against its twin of libtorch's operators and against what a step must be. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stepToHyperplane } from '../../src/attacks/projection.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { noise } from '../../src/tensor/noise.js';
import { operator } from '../../src/tensor/operator.js';
import { scope } from '../../src/tensor/scope.js';
import { type Dtype, one, type Tensor } from '../../src/tensor/tensor.js';
import { assertReachesPlanes } from '../support/assert-reaches-planes.js';
import { assertClose } from '../support/close.js';
import { composedStep } from '../support/composed-step.js';
import { normals } from '../support/finite-differences.js';

setThreads(2);

const count = 12;
const shape = [count, 3, 7, 5] as const;

/** Images, some pixels at a wall; weights, some 0; planes near, far, out of reach and on either side. */
function planes(dtype: Dtype): { readonly x: Tensor; readonly w: Tensor; readonly excess: Tensor } {
  const ids = Array.from({ length: count }, (_, id) => id);
  const pixels = noise('uniform', {
    key: { seed: 5, stream: 'bench' },
    ids,
    shape: shape.slice(1),
    dtype: 'float64',
  });
  const weights = normals(shape, 6);
  const kept = normals(shape, 7).greater(-1).to('float64');
  return {
    x: pixels.mul(1.4).sub(0.2).clamp(0, 1).to(dtype),
    w: weights.mul(kept).to(dtype),
    excess: normals([count], 8).pow(3).mul(10).to(dtype),
  };
}

describe('the kernel that steps to a hyperplane', () => {
  for (const norm of ['linf', 'l2'] as const)
    for (const [dtype, tolerance] of [
      ['float32', 2e-6],
      ['float64', 1e-13],
    ] as const) {
      it(`agrees with its twin, and does not depend on layout, batch or threads: ${norm}, ${dtype}`, () =>
        scope(() => {
          const { x, w, excess } = planes(dtype);
          const found = stepToHyperplane(norm, x, { w, excess });
          const bounds = { relative: 0, absolute: tolerance };
          assertClose(found.numbers(), composedStep(norm, x, { w, excess }).numbers(), bounds, 'twin');
          const turned = stepToHyperplane(norm, x, { w: w.contiguous('channels-last'), excess });
          assertClose(turned.numbers(), found.numbers(), bounds, 'channels last');
          for (const threads of [1, 3]) {
            setThreads(threads);
            assert.deepEqual(stepToHyperplane(norm, x, { w, excess }).numbers(), found.numbers());
          }
          setThreads(2);
          for (const row of [0, 5]) {
            const part = (tensor: Tensor) => tensor.narrow(0, row, 1);
            const alone = stepToHyperplane(norm, part(x), { w: part(w), excess: part(excess) });
            assert.deepEqual(alone.numbers(), part(found).numbers());
          }
        }));

      it(`reaches the hyperplane within the box wherever the box does: ${norm}, ${dtype}`, () =>
        scope(() => {
          const { x, w, excess } = planes(dtype);
          const plane = { w, excess };
          const step = stepToHyperplane(norm, x, plane);
          assertReachesPlanes({ x, plane, step }, { plane: dtype === 'float32' ? 1e-4 : 1e-11, box: 1e-6 });
        }));
    }

  it('ends where a weight or an excess is no number', () =>
    scope(() => {
      const { x, w, excess } = planes('float32');
      for (const norm of ['linf', 'l2'] as const) {
        stepToHyperplane(norm, x, { w: w.mul(Number.NaN), excess });
        stepToHyperplane(norm, x, { w, excess: excess.mul(Number.NaN) });
        stepToHyperplane(norm, x, { w: w.mul(Number.POSITIVE_INFINITY), excess });
      }
    }));

  it('has a shape on the device without numbers', () =>
    scope(() => {
      const { x, w, excess } = planes('float32');
      const bare = (each: Tensor) => each.toDevice('meta');
      const step = stepToHyperplane('linf', bare(x), { w: bare(w), excess: bare(excess) });
      assert.deepEqual([step.device, step.shape], ['meta', [...shape]]);
    }));

  it('refuses tensors that do not belong together', () =>
    scope(() => {
      const { x, w, excess } = planes('float32');
      const kernel = operator('satin::step_to_hyperplane');
      const call = (a: Tensor, b: Tensor, c: Tensor) => one(kernel, a.handle, b.handle, c.handle, true);
      assert.throws(() => call(x, w.narrow(0, 0, 1), excess), /Expected a weight for each number/);
      assert.throws(() => call(x, w, excess.narrow(0, 0, 1)), /Expected a weight for each number/);
      assert.throws(() => call(x, w.to('float64'), excess), /Expected x, w and excess of one dtype/);
      assert.throws(() => call(x.to('int64'), w, excess), /Expected float32 or float64/);
    }));
});

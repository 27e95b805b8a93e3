import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { native } from '../../src/engine/native.js';
import { DisposedError, InputError } from '../../src/errors.js';
import { integers, tensor, zeros } from '../../src/tensor/create.js';
import { CudaGraph } from '../../src/tensor/cuda-graph.js';
import { PendingRead } from '../../src/tensor/pending-read.js';
import { residenceOf } from '../../src/tensor/resident.js';

process.env.SATIN_MOCK_DEVICE = '1';

describe('a read that is waited for later', () => {
  for (const device of ['cpu', 'mock'])
    it(`gives the elements of its time, in rows, on ${device}`, () => {
      using x = tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3], device);
      using turned = x.transpose(0, 1);
      const reads = [new PendingRead(turned), new PendingRead(x)];
      x.mul_(2);
      assert.deepEqual([...reads[0]!.numbers()], [1, 4, 2, 5, 3, 6]);
      assert.deepEqual([...reads[1]!.numbers()], [1, 2, 3, 4, 5, 6]);
      assert.deepEqual([...reads[1]!.numbers()], [1, 2, 3, 4, 5, 6], 'again');
    });

  it('takes integers, and outlives its tensor', () => {
    const x = integers([3, 4]);
    const read = new PendingRead(x);
    x.dispose();
    assert.deepEqual([...read.numbers()], [3, 4]);
    assert.throws(() => native().finishRead(1e6), DisposedError);
  });
});

describe('what JavaScript reads', () => {
  it('is counted, on the mock device by whatever way', () => {
    using x = zeros([3], 'float32', 'mock');
    const before = [native().readCount(), native().mockReadCount()];
    x.data();
    using copy = x.toDevice('cpu');
    using _sum = x.add(1).sum();
    assert.deepEqual([copy.device, x.device], ['cpu', 'mock']);
    assert.deepEqual(
      [native().readCount() - before[0]!, native().mockReadCount() - before[1]!],
      [1, 2],
      'one by data, one by a copy',
    );
  });

  it('is nothing of a tensor that is a shape', () => {
    using x = zeros([3], 'float32', 'meta');
    assert.throws(() => x.data(), InputError);
    assert.equal(x.device, 'meta');
  });
});

describe('a CUDA graph', () => {
  it('is refused where there is no card', { skip: native().cards().length > 0 }, () => {
    assert.throws(() => CudaGraph.record('cuda:0', () => zeros([1])), InputError);
  });
});

describe('what stays on a device', () => {
  it('stays on the CPU whatever its size', () => {
    assert.equal(residenceOf(1e15, 'cpu'), 'cpu');
    assert.equal(residenceOf(1e3, 'mock'), 'mock');
  });
});

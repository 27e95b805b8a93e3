import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RemainingExamples } from '../../src/attacks/remaining-examples.js';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { tensor } from '../../src/tensor/create.js';

setThreads(1);

const column = (...values: number[]) => tensor(Float32Array.from(values), [values.length, 1]);

it('rows leave from every part at once, and are known by their first places', () => {
  using set = new RemainingExamples(() => ({ x: column(0, 1, 2, 3), loss: column(4, 5, 6, 7) }));
  assert.deepEqual(set.rows, [0, 1, 2, 3]);
  set.step(({ x }) => ({ next: { x: x.mul(10) }, active: [3, 1, 2] }));
  set.step((_, rows) => {
    assert.deepEqual(rows, [3, 1, 2]);
    return { next: {}, active: [0, 2] };
  });
  assert.deepEqual(set.rows, [3, 2]);
  assert.deepEqual(
    [[...set.parts.x.numbers()], [...set.parts.loss.numbers()]],
    [
      [30, 20],
      [7, 6],
    ],
  );
  set.step(() => ({ next: {}, active: null }));
  assert.deepEqual(set.rows, [3, 2]);
});

it('what is replaced is freed, what failed changes nothing, and at the end all is gone', () => {
  const before = memoryInfo().liveTensors;
  {
    using set = new RemainingExamples(() => ({ x: column(0, 1), y: column(2, 3) }));
    for (let step = 0; step < 3; step++) set.step(({ x }) => ({ next: { x: x.add(1) }, active: null }));
    assert.throws(() => set.step(() => assert.fail('in the step')), /in the step/);
    assert.deepEqual([...set.parts.x.numbers()], [3, 4]);
    assert.equal(memoryInfo().liveTensors, before + 2);
  }
  assert.equal(memoryInfo().liveTensors, before);
});

/** The step in L1 that moves the pixels of the largest gradients. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sparseDirection } from '../../src/attacks/sparse-direction.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { assertClose } from '../support/close.js';

setThreads(1);

const gradients = [0.5, -3, 2, 0, -0.1, 1, 4, -2.5, 0.2, 0.3];

const direction = (values: readonly number[], share: number) =>
  scope(() =>
    sparseDirection(
      tensor(Float64Array.from(values), [1, 1, 2, 5]),
      tensor(Float64Array.of(share), [1]),
    ).numbers(),
  );

it('moves the given share of the pixels by the same amount, those with the largest gradients', () => {
  for (const share of [0.1, 0.2, 0.35, 0.5, 0.9]) {
    const kept = 10 - Math.trunc((1 - share) * 10);
    const least = [...gradients].map(Math.abs).sort((a, b) => b - a)[kept - 1]!;
    const moved = gradients.filter((each) => each !== 0 && Math.abs(each) >= least).length;
    const expected = gradients.map((each) => (Math.abs(each) >= least ? Math.sign(each) / moved : 0));
    assertClose(direction(gradients, share), expected, { relative: 1e-9, absolute: 0 }, `share ${share}`);
  }
});

it('moves one pixel where the share is less, and all with a gradient where it is more', () => {
  assert.deepEqual(
    [...direction(gradients, 0).entries()].filter(([, each]) => each !== 0),
    [[6, 1 / (1 + 1e-10)]],
  );
  assert.equal(direction(gradients, 1).filter((each) => each !== 0).length, 9);
});

it('goes nowhere where the gradient is 0, and takes NaN for 0', () => {
  assert.ok(
    direction(
      gradients.map(() => 0),
      0.5,
    ).every((each) => each === 0),
  );
  const found = direction(
    gradients.map((each) => (each === 4 ? Number.NaN : each)),
    0.1,
  );
  assert.deepEqual(
    [...found.entries()].filter(([, each]) => each !== 0),
    [[1, -1 / (1 + 1e-10)]],
  );
});

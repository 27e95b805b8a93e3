import assert from 'node:assert/strict';
import { cardName, cards } from '../../src/engine/device.js';
import { engineInfo } from '../../src/engine/engine-info.js';
import { satinCommit } from '../../src/provenance/manifest.js';
import type { Tensor } from '../../src/tensor/tensor.js';

/**
 * The device that `npm run test:cuda` compares with the CPU: a graphics card, or what `SATIN_TEST_DEVICE` names; `mock`
 * rehearses the tests on a machine without one.
 */
const { SATIN_TEST_DEVICE: named = 'cuda:0' } = process.env;
export const device = named === 'cuda' ? 'cuda:0' : named;
if (device === 'mock') process.env.SATIN_MOCK_DEVICE = '1';

/** Whether it is a card: what the mock device cannot do is left out of a rehearsal. */
export const isCard = device.startsWith('cuda');

assert.ok(
  !isCard || Number(device.slice('cuda:'.length)) < cards().length,
  `Expected a graphics card, ${device}, but the engine finds ${cards().length}: see \`satin doctor\`. SATIN_TEST_DEVICE=mock rehearses without one.`,
);
console.log(
  [
    cardName(device) ?? device,
    `libtorch ${engineInfo().libtorch}`,
    `Satin ${satinCommit() ?? 'outside a clone'}`,
  ].join(', '),
);

/** What is asked of float32: 1e-5 of the largest number. */
export const allowed = 1e-5;

/** The largest difference over the largest expected number; infinite where one is NaN and the other not. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.equal(actual.length, expected.length);
  let [difference, largest] = [0, 1e-30];
  for (let at = 0; at < expected.length; at++) {
    const [is, should] = [actual[at]!, expected[at]!];
    if (Number.isNaN(is) !== Number.isNaN(should)) return Number.POSITIVE_INFINITY;
    if (Number.isFinite(should)) largest = Math.max(largest, Math.abs(should));
    if (is === should || Number.isNaN(is)) continue;
    difference = Math.max(difference, Math.abs(is - should));
  }
  return difference / largest;
}

/** Asserts that tensors of the device have the numbers of those of the CPU. */
export function assertAlike(
  name: string,
  actual: readonly Tensor[],
  expected: readonly Tensor[],
  tolerance = allowed,
): void {
  assert.equal(actual.length, expected.length);
  for (const [at, each] of actual.entries()) {
    assert.equal(each.device, device, `${name} is on ${each.device}`);
    assert.deepEqual(each.shape, expected[at]!.shape, name);
    const numbers = (tensor: Tensor) =>
      (tensor.dtype === 'bfloat16' ? tensor.to('float32') : tensor).numbers();
    const off = relativeDifference(numbers(each), numbers(expected[at]!));
    assert.ok(off <= tolerance, `${name}, result ${at}: off by ${off.toExponential(1)} of the largest`);
  }
}

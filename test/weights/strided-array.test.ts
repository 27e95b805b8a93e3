import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readStridedArray } from '../../src/weights/strided-array.js';
import { TorchFile } from '../../src/weights/torch-file.js';
import { StridedView } from '../../src/weights/torch-pickle.js';

const path = fileURLToPath(new URL('../../../test/golden/state-dicts/tiny.pt', import.meta.url));
const file = TorchFile.open(path);
assert.ok(file.value instanceof Map);
const storage = [...file.value.values()]
  .filter((view) => view instanceof StridedView)
  .map((view) => view.storage)
  .find(({ dtype, count }) => dtype === 'F32' && count >= 24)!;

/** The numbers of an array as the file has it, seen through a shape and strides. */
const seen = (shape: readonly number[], strides: readonly number[], offset = 0) => {
  const bytes = readStridedArray(file, 'a', new StridedView(storage, offset, shape, strides)).read();
  return [...new Float32Array(bytes.slice().buffer)];
};
const plain = seen([24], [1]);
assert.equal(new Set(plain).size, 24);

it('a view is brought into the order of rows, whatever its strides', () => {
  assert.deepEqual(seen([2, 3, 4], [12, 4, 1]), plain);
  assert.deepEqual(
    seen([3, 2], [1, 3]),
    [0, 3, 1, 4, 2, 5].map((place) => plain[place]),
  );
  assert.deepEqual(
    seen([2, 2, 2], [1, 12, 4], 5),
    [0, 4, 12, 16, 1, 5, 13, 17].map((place) => plain[5 + place]),
  );
  assert.deepEqual(
    seen([2, 3], [0, 2]),
    [0, 2, 4, 0, 2, 4].map((place) => plain[place]),
    'rows that are one',
  );
});

it('one number and none are views too', () => {
  assert.deepEqual(seen([], [], 7), [plain[7]]);
  assert.deepEqual(seen([1, 2], [99, 1]), plain.slice(0, 2));
  assert.deepEqual(seen([0, 4], [4, 1]), []);
});

it('an expanded view repeats the numbers of its array', () => {
  const { count } = storage;
  const found = seen([count, 2], [0, 0]);
  assert.deepEqual(
    found,
    Array.from({ length: 2 * count }, () => plain[0]),
  );
});

it('a view beyond its array is refused, before anything is read', () => {
  const { count } = storage;
  for (const [shape, strides, offset] of [
    [[count], [1], 1],
    [[2, 2], [count, 1], 0],
    [[2 ** 12, 2 ** 11], [0, 0], 0],
  ] as const)
    assert.throws(
      () => readStridedArray(file, 'a', new StridedView(storage, offset, shape, strides)),
      new RegExp(`'a' is a view of shape \\[${shape.join(', ')}\\] of a storage with ${count} elements`),
    );
});

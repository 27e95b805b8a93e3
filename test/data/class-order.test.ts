import assert from 'node:assert/strict';
import { it } from 'node:test';
import { orderWarning, withLabelsOf } from '../../src/data/class-order.js';
import type { Dataset } from '../../src/data/dataset.js';
import { InputError } from '../../src/errors.js';

const data = (classes: readonly string[], labels: readonly number[] = [0]): Dataset => ({
  name: 'folder:test',
  classes,
  shape: [1, 1, 1],
  images: new Uint8Array(labels.length),
  labels: Uint8Array.from(labels),
  ids: Uint32Array.from(labels.keys()),
  order: 'folder',
  warnings: ['before'],
});
const counted = Array.from({ length: 12 }, (_, at) => `${at}`);

it('names that count, sorted as text, are told with the first label that differs', () => {
  assert.match(
    orderWarning(data([...counted].sort()))!,
    /^The classes of folder:test are sorted as text: 0, 1, 10, 11, 2 and 7 more, so that label 2 is 10 and not 2\./,
  );
  for (const classes of [['class 1', 'class 10', 'class 2'], ['1x', '10x', '2x'].sort(), ['a10b', 'a9b']])
    assert.notEqual(orderWarning(data(classes)), null, classes.join());
  for (const classes of [
    counted,
    counted.slice(0, 10),
    ['a', 'b'],
    ['B', 'a'],
    ['n01440764', 'n01443537'],
    ['00', '01', '10'],
    ['Zebra', 'ant', 'ant2', 'ant3'],
  ])
    assert.equal(orderWarning(data(classes)), null, classes.join());
});

it('labels follow the names of the classes, in both Unicode forms', () => {
  const names = ['caf\u00e9', 'b', 'a'];
  const { classes, labels, warnings } = withLabelsOf(names, data(['a', 'b', 'cafe\u0301'], [0, 1, 2, 2]));
  assert.deepEqual(classes, names);
  assert.deepEqual([...labels], [2, 1, 0, 0]);
  assert.deepEqual(warnings, ['before']);
});

it('classes without images are told, and images of other classes refused', () => {
  const some = withLabelsOf(['a', 'b', 'c', 'd'], data(['b', 'd'], [0, 1, 1]));
  assert.deepEqual([...some.labels], [1, 3, 3]);
  assert.match(some.warnings[1]!, /^2 classes of the model's 4 are not among those of folder:test: a, c\./);
  const many = Array.from({ length: 1000 }, (_, at) => `n${10_000_000 + at * 7919}`);
  assert.throws(
    () => withLabelsOf([...many, 'golden-retriever'], data(['golden retriever', 'x\x1b'])),
    (error) => {
      assert.ok(error instanceof InputError);
      assert.match(
        error.message,
        /only the model's 1001 classes for folder:test but received 2 others as well \(golden retriever, x\\x1b\)\. Did you mean 'golden-retriever' for 'golden retriever'\?$/,
      );
      return true;
    },
  );
});

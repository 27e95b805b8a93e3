import assert from 'node:assert/strict';
import { it } from 'node:test';
import { cutValidation, positionsWithout } from '../../src/data/validation-split.js';

const labels = Array.from({ length: 40 }, (_, at) => (at < 30 ? 0 : 1));
const cut = (validation: number, seed = 0) =>
  cutValidation({ labels, keys: labels.map((_, at) => at), classes: 2, validation, seed });

it('each class gives its share, and both parts together are the whole', () => {
  for (const [asked, count] of [
    [8, 8],
    [0.2, 8],
    [0, 0],
  ] as const) {
    const { train, validation } = cut(asked);
    assert.equal(validation.length, count);
    assert.equal([...validation].filter((place) => labels[place] === 1).length, count / 4);
    assert.deepEqual(
      [...train, ...validation].sort((a, b) => a - b),
      labels.map((_, at) => at),
    );
  }
  assert.deepEqual(cut(8), cut(8));
  assert.notDeepEqual(cut(8), cut(8, 1));
});

it('one of each class stays in training, and what is no amount is refused', () => {
  assert.deepEqual(
    [...cut(38).train].map((place) => labels[place]),
    [0, 1],
  );
  for (const amount of [39, 40, -1, 1.5, Number.NaN])
    assert.throws(
      () => cut(amount),
      /a whole number of examples from 0 to 38, or a fraction between 0 and 1,/,
    );
});

it('a share that is rounded to none is refused, unless it is 0', () => {
  assert.equal(cut(0.0126).validation.length, 1);
  assert.throws(
    () => cut(0.0124),
    /Expected a share that is at least one of the 40 training examples for the validation split but received 0\.0124\. Rounded, it is none of them\. Set data\.validation to a number of examples, a larger share, or 0 for none\.$/,
  );
  const alone = { labels: [0, 1], keys: [0, 1], classes: 2, seed: 0 };
  for (const share of [0.1, 0.9])
    assert.throws(
      () => cutValidation({ ...alone, validation: share }),
      /Expected 0 for the validation split/,
    );
});

it('positions without others are the rest, ascending', () => {
  assert.deepEqual([...positionsWithout(Uint32Array.of(3, 0), 5)], [1, 2, 4]);
});

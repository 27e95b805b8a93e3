import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { z } from 'zod';
import {
  atLeastZero,
  between,
  oneOf,
  pixelDistance,
  positive,
  text,
  whole,
  yesOrNo,
} from '../../src/user-input/schema-fields.js';

/** Each kind with what it takes, what it refuses, and the words for it. */
const kinds: readonly (readonly [z.ZodType, readonly unknown[], readonly unknown[], string])[] = [
  [whole(2), [2, 7], [1, 2.5, '2', Number.NaN, null], 'a whole number of at least 2'],
  [between(0, 0.5), [0, 0.25, 0.5], [-0.1, 0.6, Number.NaN, '0'], 'a number from 0 to 0.5'],
  [atLeastZero(), [0, 1e9], [-1e-9, Number.POSITIVE_INFINITY], 'a number of at least 0'],
  [positive(), [1e-9, 3], [0, -1], 'a number above 0'],
  [text('a name'), ['a'], ['', 1], 'a name'],
  [yesOrNo(), [true, false], [1, 'true', null], 'true or false'],
  [oneOf(['a', 'b']), ['a', 'b'], ['c', 'A', 0], "'a' or 'b'"],
];

for (const [kind, taken, refused, words] of kinds)
  it(`${words} is just that`, () => {
    for (const value of taken) assert.deepEqual(kind.parse(value), value);
    for (const value of refused)
      assert.deepEqual(
        kind.safeParse(value).error?.issues.map(({ message }) => message),
        [words],
        String(value),
      );
  });

it('a distance is a number, however it is written', () => {
  assert.deepEqual(
    [0.5, '0.5', '2/255', ' 8 / 255 '].map((value) => pixelDistance().parse(value)),
    [0.5, 0.5, 2 / 255, 8 / 255],
  );
  for (const value of [0, '0', '0/255', '-1/255', '1/0', 'x', null])
    assert.ok(!pixelDistance().safeParse(value).success);
});

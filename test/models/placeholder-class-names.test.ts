import assert from 'node:assert/strict';
import { it } from 'node:test';
import { arePlaceholders, placeholderClassNames } from '../../src/models/placeholder-class-names.js';

it('classes without names are known as such', () => {
  assert.deepEqual(placeholderClassNames(3), ['class 0', 'class 1', 'class 2']);
  assert.ok(arePlaceholders(placeholderClassNames(12)));
  for (const classes of [
    ['class 1', 'class 0'],
    ['class 0', 'cat'],
  ])
    assert.ok(!arePlaceholders(classes));
});

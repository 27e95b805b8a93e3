import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nameList } from '../../src/user-input/name-list.js';

it('the first five names are listed, and how many more there are', () => {
  assert.equal(nameList([]), '');
  assert.equal(nameList(['a', 'b']), 'a, b');
  assert.equal(nameList([...'abcde']), 'a, b, c, d, e');
  assert.equal(nameList([...'abcdefg']), 'a, b, c, d, e and 2 more');
});

it('names of strangers neither move the cursor nor fill the screen', () => {
  assert.equal(nameList(['a\u001b[2Jb\n']), 'a\\x1b[2Jb\\x0a');
  assert.equal(nameList(['x'.repeat(81)]), `${'x'.repeat(77)}...`);
  assert.equal(nameList(['x'.repeat(80)]), 'x'.repeat(80));
});

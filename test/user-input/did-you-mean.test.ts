import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nearest, quotedList, unknownName } from '../../src/user-input/did-you-mean.js';

it('the nearest name is found whatever its case, and none where more than 40 % of the letters differ', () => {
  const known = ['relu', 'silu', 'softPlus'];
  assert.equal(nearest('RELU', known), 'relu');
  assert.equal(nearest('softpluss', known), 'softPlus');
  assert.equal(nearest('slu', known), 'silu');
  assert.equal(nearest('tanh', known), undefined);
  assert.equal(nearest('', known), undefined);
  assert.equal(nearest('val', ['train', 'validation', 'test']), 'validation');
  assert.equal(nearest('re', ['resnet18', 'resnet50']), undefined);
  assert.equal(nearest('res', ['resnet18-long', 'resnet50-long']), undefined, 'two begin with it');
});

it('names are listed in quotes', () => {
  assert.deepEqual([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(quotedList), [
    '',
    "'a'",
    "'a' or 'b'",
    "'a', 'b' or 'c'",
  ]);
});

it('an unknown name hears the nearest, and all names only where they are few or none is near', () => {
  const say = (received: string, known: readonly string[]) =>
    unknownName({ kind: 'a colour', name: 'paint', received, known }).message;
  const few = ['red', 'green'];
  const many = [...few, ...Array.from({ length: 10 }, (_, index) => `${index}${index}${index}`)];
  assert.equal(
    say('gren', few),
    "Expected one of red, green for paint but received 'gren'. Did you mean 'green'?",
  );
  assert.equal(say('gren', many), "Expected a colour for paint but received 'gren'. Did you mean 'green'?");
  assert.match(
    say('xyzzy', many),
    /^Expected one of red, green, 000, .*999 for paint but received 'xyzzy'\.$/,
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationTable } from '../../src/cli/terminal/evaluation-table.js';
import { fewImages } from '../../src/evaluation/few-images.js';
import { madeUp } from '../support/evaluation-input.js';

const few = madeUp({ classes: ['a', 'b', 'c'], examples: 18 });

test('what a handful of images can show is said before the accuracies', () => {
  assert.equal(
    fewImages(few),
    'Only 18 images, 6 of a class: one of them makes 6 % of an accuracy, and 100 % of so few leaves anything from 82 % upwards possible. Measure more images.',
  );
  const shown = evaluationTable(few).replaceAll('\n', ' ');
  assert.ok(shown.indexOf('Only 18 images') > 0);
  assert.ok(shown.indexOf('Only 18 images') < shown.indexOf('clean accuracy'));
  assert.ok(
    evaluationTable(few)
      .split('\n')
      .every((line) => line.length <= 80),
  );
});

test('classes of different sizes are said, and of enough images nothing', () => {
  assert.match(
    fewImages(madeUp({ classes: ['a', 'b', 'c'], examples: 20 }))!,
    /20 images, 6 to 7 of a class/,
  );
  assert.equal(fewImages(madeUp({ classes: ['a', 'b', 'c'], examples: 100 })), null);
});

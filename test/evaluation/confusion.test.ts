import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confusionOf } from '../../src/evaluation/confusion.js';
import type { ExampleResult } from '../../src/evaluation/result.js';

const perClass = ['cat', 'dog'].map((name, label) => ({
  label,
  class: name,
  examples: 2,
  clean: 0.5,
  robust: 0.5,
}));
const example = (id: number, label: number, predicted?: string): ExampleResult => ({
  id,
  label,
  clean: predicted === perClass[label]!.class,
  brokenBy: null,
  ...(predicted !== undefined && { predicted }),
});

test('a confusion counts each class by what was predicted, also a class without images', () => {
  const perExample = [
    example(0, 0, 'cat'),
    example(1, 0, 'frog'),
    example(2, 1, 'cat'),
    example(3, 1, 'cat'),
  ];
  assert.deepEqual(confusionOf({ perClass, perExample }), {
    classes: ['cat', 'dog', 'frog'],
    counts: [
      [1, 0, 1],
      [2, 0, 0],
      [0, 0, 0],
    ],
  });
});

test('there is none where a prediction is not known', () => {
  assert.equal(confusionOf({ perClass, perExample: [example(0, 0, 'cat'), example(1, 0)] }), null);
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExampleResult } from '../../src/evaluation/result.js';
import { perClass } from '../../src/evaluation/summary.js';
import { confusions } from '../../src/serve/confusion.js';

const classes = ['cat', 'dog', 'ship'];

function example(id: number, label: number, predicted: string, attacked?: string): ExampleResult {
  const clean = predicted === classes[label];
  const brokenBy = attacked === undefined ? null : 'apgd-ce';
  return { id, label, clean, brokenBy, predicted, ...(attacked !== undefined && { attacked }) };
}

/** Of these examples, among these classes. */
const of = (some: readonly ExampleResult[], names = classes) => confusions(perClass(some, names), some);

const examples = [
  example(0, 0, 'cat', 'dog'),
  example(1, 0, 'cat', 'dog'),
  example(2, 0, 'ship'),
  example(3, 1, 'dog'),
  example(4, 2, 'ship', 'cat'),
];

describe('the confusion of classes', () => {
  it('counts true classes by row, with and without attack', () => {
    const { clean, attacked } = of(examples)!;
    assert.deepEqual(clean.matrix, [
      [2, 0, 1],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    assert.deepEqual(attacked.matrix, [
      [0, 2, 1],
      [0, 1, 0],
      [1, 0, 0],
    ]);
    assert.deepEqual(attacked.mistakes, [
      { from: 'cat', to: 'dog', count: 2 },
      { from: 'cat', to: 'ship', count: 1 },
      { from: 'ship', to: 'cat', count: 1 },
    ]);
  });

  it('of many classes has the most frequent mistakes alone', () => {
    const many = Array.from({ length: 40 }, (_, label) => `class ${label}`);
    const some = many.map((name, label): ExampleResult => {
      const predicted = label === 7 ? 'class 8' : name;
      return { id: label, label, clean: label !== 7, brokenBy: null, predicted };
    });
    const { clean } = of(some, many)!;
    assert.equal(clean.matrix, null);
    assert.deepEqual(clean.mistakes, [{ from: 'class 7', to: 'class 8', count: 1 }]);
  });

  it('is not known where one prediction is not', () => {
    const { predicted: _, ...unknown } = examples[3]!;
    assert.equal(of([...examples, unknown]), null);
    const { attacked: __, ...broken } = examples[0]!;
    assert.equal(of([broken]), null);
    assert.equal(of([]), null);
  });
});

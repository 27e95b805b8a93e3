import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { confusionOf, type PredictedExample } from '../../src/serve/confusion.js';

const classes = ['cat', 'dog', 'ship'];

function example(id: number, label: number, predicted: string, attacked?: string): PredictedExample {
  const clean = predicted === classes[label];
  const brokenBy = attacked === undefined ? null : 'apgd-ce';
  return { id, label, clean, brokenBy, predicted, ...(attacked !== undefined && { attacked }) };
}

const examples = [
  example(0, 0, 'cat', 'dog'),
  example(1, 0, 'cat', 'dog'),
  example(2, 0, 'ship'),
  example(3, 1, 'dog'),
  example(4, 2, 'ship', 'cat'),
];

describe('the confusion of classes', () => {
  it('counts true classes by row, with and without attack', () => {
    const { clean, attacked } = confusionOf(examples, classes)!;
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
      { from: 0, to: 1, count: 2 },
      { from: 0, to: 2, count: 1 },
      { from: 2, to: 0, count: 1 },
    ]);
  });

  it('of many classes has the most frequent mistakes alone', () => {
    const many = [...classes, ...Array.from({ length: 40 }, (_, at) => `class ${at}`)];
    const { clean } = confusionOf(examples, many)!;
    assert.equal(clean.matrix, null);
    assert.deepEqual(clean.mistakes, [{ from: 0, to: 2, count: 1 }]);
  });

  it('is not known where one prediction is not', () => {
    const { predicted: _, ...unknown } = examples[3]!;
    assert.equal(confusionOf([...examples, unknown], classes), null);
    const { attacked: __, ...broken } = examples[0]!;
    assert.equal(confusionOf([broken], classes), null);
    assert.equal(confusionOf([], classes), null);
  });
});

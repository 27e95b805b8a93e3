import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { crossEntropy, klDivergence } from '../../src/nn/losses.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { logSoftmax } from '../../src/tensor/functional.js';
import { scope } from '../../src/tensor/scope.js';
import { assertClose, double } from '../support/close.js';

setThreads(1);

const rows = [
  [1, -2, 0.5],
  [30, 0, -40],
];
const labels = [2, 1];
const logits = (values = rows) => tensor(Float64Array.from(values.flat()), [values.length, 3]);
const logs = (row: readonly number[]) => {
  const total = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return row.map((logit) => logit - total);
};
const mean = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b) / numbers.length;

for (const labelSmoothing of [0, 0.1])
  it(`cross-entropy is its formula with label smoothing ${labelSmoothing}`, () => {
    const each = rows.map((row, at) => {
      const log = logs(row);
      return -(1 - labelSmoothing) * log[labels[at]!]! - labelSmoothing * mean(log);
    });
    scope(() => {
      const of = (reduction: 'none' | 'mean' | 'sum') =>
        crossEntropy(logits(), integers(labels), { reduction, labelSmoothing }).numbers();
      assertClose(of('none'), each, double, 'each');
      assertClose(of('mean'), [mean(each)], double, 'mean');
      assertClose(of('sum'), [2 * mean(each)], double, 'sum');
    });
  });

it('the divergence is its formula, 0 between equals, and no NaN where a probability is 0', () => {
  const others = [
    [0, 0, 0],
    [800, 0, 0],
  ];
  const each = rows.map((row, at) => {
    const [p, q] = [logs(row), logs(others[at]!.map((logit) => Math.min(logit, 700)))];
    return p.reduce((sum, log, c) => sum + Math.exp(log) * (log - (at === 1 && c > 0 ? -800 : q[c]!)), 0);
  });
  scope(() => {
    const [p, q] = [logSoftmax(logits()), logSoftmax(logits(others))];
    assertClose(klDivergence(p, q, { reduction: 'none' }).numbers(), each, double, 'each');
    assertClose(klDivergence(p, q).numbers(), [mean(each)], double, 'mean');
    assert.deepEqual([...klDivergence(p, p, { reduction: 'sum' }).numbers()], [0]);
  });
});

/** Losses of attacks against their formulas, example by example. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lossAndTargets, parseAttack } from '../../src/attacks/attack.js';
import { type AttackLossName, attackLosses, lossFor, targetsOfRank } from '../../src/attacks/losses.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { InputError } from '../../src/errors.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { gradient } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import { assertClose } from '../support/close.js';

setThreads(1);

describe('losses of attacks', () => {
  const rows = [
    [3, -1, 0.5, 2, 2.5],
    [-2, 4, 1, 0, 3],
    [0.25, 0.5, 5, -3, 1],
  ];
  const labels = [0, 4, 1];
  const targets = [3, 1, 0];
  const expected: Readonly<Record<AttackLossName, (z: readonly number[], y: number, t: number) => number>> = {
    ce: (z, y) => Math.log(z.reduce((sum, each) => sum + Math.exp(each), 0)) - z[y]!,
    margin: (z, y) => Math.max(...z.filter((_, at) => at !== y)) - z[y]!,
    dlr(z, y) {
      const [most, , third] = [...z].sort((a, b) => b - a);
      return (Math.max(...z.filter((_, at) => at !== y)) - z[y]!) / (most! - third!);
    },
    'targeted-margin': (z, y, t) => z[t]! - z[y]!,
    'targeted-dlr'(z, y, t) {
      const [most, , third, fourth] = [...z].sort((a, b) => b - a);
      return (z[t]! - z[y]!) / (most! - (third! + fourth!) / 2);
    },
  };

  for (const [name, formula] of Object.entries(expected) as [AttackLossName, (typeof expected)['ce']][])
    it(`${name} is its formula, for each example`, () =>
      scope(() => {
        const logits = tensor(Float64Array.from(rows.flat()), [3, 5]);
        const found = attackLosses[name](logits, integers(labels), integers(targets));
        const should = rows.map((row, at) => formula(row, labels[at]!, targets[at]!));
        assertClose(found.numbers(), should, { relative: 1e-11, absolute: 1e-11 }, name);
      }));

  it('have finite gradients where all logits are equal', () =>
    scope(() => {
      for (const loss of Object.values(attackLosses)) {
        const logits = tensor(new Float64Array(10), [2, 5]).requireGrad_();
        const slope = gradient(loss(logits, integers([0, 1]), integers([1, 2])).sum(), logits);
        assert.ok(slope.numbers().every(Number.isFinite));
      }
    }));

  it('aim at the other classes, the most likely first, whatever the label', () =>
    scope(() => {
      const logits = tensor(Float64Array.from(rows.flat()), [3, 5]);
      const of = (rank: number) => [...targetsOfRank(logits, integers(labels), rank).numbers()];
      assert.deepEqual([1, 2, 3, 4].map(of), [
        [4, 1, 2],
        [3, 2, 4],
        [2, 3, 0],
        [1, 0, 3],
      ]);
    }));

  it('fall back on the margin where there are too few classes, and results say so', () => {
    const aims = (name: string) =>
      [2, 3, 4, 10, 100].map((classes) => lossAndTargets(parseAttack(name), classes));
    const of = (loss: string, targets: number) => ({ loss, targets });
    assert.deepEqual(aims('apgd-t'), [
      of('targeted-margin', 1),
      of('targeted-margin', 2),
      of('targeted-dlr', 3),
      of('targeted-dlr', 9),
      of('targeted-dlr', 9),
    ]);
    assert.deepEqual(aims('apgd-dlr').slice(0, 2), [of('margin', 0), of('dlr', 0)]);
    assert.deepEqual(aims('fab-t')[1], of('distance', 2));
    assert.deepEqual(aims('square')[0], of('margin', 0));
    assert.throws(() => lossFor('ce', 1), InputError);
    assert.throws(() => lossAndTargets(parseAttack('fab-t'), 1), InputError);
  });
});

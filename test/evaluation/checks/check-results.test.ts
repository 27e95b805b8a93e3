/** What attacks and their results give away: of each check one result above its line and one below. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAttack } from '../../../src/attacks/attack.js';
import { checkResults } from '../../../src/evaluation/checks/check-results.js';
import type { AttackResult } from '../../../src/evaluation/result.js';

describe('checks of the results', () => {
  const result = (name: string, broken: number, surrogate?: string): AttackResult => ({
    name,
    loss: 'ce',
    steps: 1,
    stepSize: null,
    restarts: 1,
    targets: 0,
    attacked: 1000,
    broken,
    robustAfter: 0,
    forwards: 0,
    backwards: 0,
    seconds: 0,
    ...(surrogate !== undefined && { surrogate }),
  });
  const perExample = Array.from({ length: 1000 }, (_, id) => ({ id, label: 0, clean: true, brokenBy: null }));
  const codes = (
    results: readonly AttackResult[],
    { classes = 10, share = 0.8, examples = perExample } = {},
  ) =>
    checkResults(
      { clean: share, attacks: results, perExample: examples },
      { classes, attacks: results.map(({ name }) => parseAttack(name.replace(/-through.*/, ''))) },
    ).map(({ code }) => code);

  it('tell Square that breaks more than two of a thousand behind an attack with gradients', () => {
    assert.deepEqual(codes([result('apgd-ce', 400), result('square', 3)]), ['square-beats-gradient']);
    assert.deepEqual(codes([result('apgd-ce', 400), result('square', 2)]), []);
    assert.deepEqual(codes([result('square', 300), result('apgd-ce', 100)]), []);
    assert.deepEqual(codes([result('square', 300)]), []);
  });

  it('tell another derivative that does', () => {
    assert.deepEqual(codes([result('pgd-5', 1), result('pgd-5-through-silu', 3, 'silu')]), [
      'surrogate-beats-gradient',
    ]);
    assert.deepEqual(codes([result('pgd-5', 1), result('pgd-5-through-silu', 2, 'silu')]), []);
  });

  it('tell attacks whose loss needs more classes', () => {
    assert.deepEqual(codes([result('apgd-t', 1)], { classes: 4 }), []);
    assert.deepEqual(codes([result('apgd-t', 1)], { classes: 3 }), ['few-classes']);
    assert.deepEqual(codes([result('apgd-dlr', 1)], { classes: 3 }), []);
    assert.deepEqual(codes([result('apgd-dlr', 1)], { classes: 2 }), ['few-classes']);
    assert.deepEqual(codes([result('apgd-ce', 1), result('fab-t', 1)], { classes: 2 }), []);
  });

  it('tell a clean accuracy near guessing, where there are enough images to say so', () => {
    assert.deepEqual(codes([], { share: 0.18 }), ['chance-accuracy']);
    assert.deepEqual(codes([], { share: 0.2 }), []);
    assert.deepEqual(codes([], { share: 0.54, classes: 2 }), ['chance-accuracy']);
    assert.deepEqual(codes([], { share: 0.1, examples: perExample.slice(0, 19) }), []);
  });
});

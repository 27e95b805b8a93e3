import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseAttack } from '../../src/attacks/attack.js';
import { stepsOf, workOf } from '../../src/evaluation/progress.js';

it('an attack takes its steps for each start and each target that there is', () => {
  const steps = (name: string, classes = 10) => stepsOf(parseAttack(name), classes);
  assert.deepEqual([steps('fgsm'), steps('pgd-50-10'), steps('square')], [1, 500, 5000]);
  assert.deepEqual([steps('apgd-t'), steps('apgd-t', 4), steps('fab-t-2')], [900, 300, 1800]);
  // MALT measures up to 100 classes first, one step each.
  assert.deepEqual([steps('malt'), steps('malt', 1000)], [909, 1000]);
});

it('its work is counted in forward passes, a backward one as two', () => {
  const work = (name: string, classes = 10) => workOf(parseAttack(name), classes);
  assert.deepEqual([work('pgd-10'), work('square'), work('apgd-ce')], [30, 5000, 300]);
  assert.equal(work('apgd-ce-eot20'), 20 * work('apgd-ce'));
  assert.deepEqual([work('fab-t', 3), work('fab', 3)], [2 * 100 * 4, 100 * 8]);
});

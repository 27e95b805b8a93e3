/** What names of attacks stand for, and which are refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAttack, parseGradientAttack, requireNorm, stepSizeOf } from '../../src/attacks/attack.js';
import { InputError } from '../../src/errors.js';

describe('names', () => {
  it('of AutoAttack’s attacks stand for its settings, and take restarts', () => {
    assert.deepEqual(parseAttack('apgd-t'), {
      kind: 'apgd',
      name: 'apgd-t',
      loss: 'targeted-dlr',
      steps: 100,
      restarts: 1,
      targets: 9,
    });
    assert.deepEqual(parseAttack('malt'), { ...parseAttack('apgd-t'), name: 'malt', targetsBy: 'slope' });
    assert.equal(parseAttack('square').steps, 5000);
    for (const name of ['apgd-ce-5', 'fab-5', 'fab-t-2', 'square-3']) {
      const { name: own, restarts } = parseAttack(name);
      assert.deepEqual([own, restarts], [name, Number(name.slice(-1))]);
    }
    assert.equal(parseAttack('pgd-cw-20-3').restarts, 3);
  });

  it('that are unknown are refused, and the paper’s attack in L2', () => {
    for (const name of [
      'apgd',
      'apgd-ce-0',
      'apgd-ce-',
      'fab-t-1-1',
      'squares',
      'pgd-cw',
      'pgd-0-paper',
      'pgd-cw-20-paper',
      'pgd-20-paper-2',
      'pgd-20-step',
      'pgd-20-step0',
      'pgd-20-step0.0',
      'pgd-20-step0.250',
      'pgd-20-step0.00001',
      'pgd-20-step.25',
      'pgd-20-step3',
      'pgd-20-step0.25-2',
      'pgd-20-cycles-paper',
      'pgd-20-cycles-step0.25',
      'fgsm-cycles',
      'apgd-ce-cycles',
      'malt-0',
      'constructor',
    ])
      assert.throws(() => parseAttack(name), InputError, name);
    for (const name of ['pgd-200-cycles', 'pgd-200-paper-cycles']) {
      requireNorm(parseAttack(name), 'linf');
      for (const norm of ['l2', 'l1'] as const)
        assert.throws(() => requireNorm(parseAttack(name), norm), new RegExp(`linf for the norm of ${name}`));
    }
    requireNorm(parseAttack('pgd-200-paper'), 'linf');
    assert.throws(
      () => requireNorm(parseAttack('pgd-200-paper'), 'l2'),
      /Expected linf for the norm of pgd-200-paper/,
    );
  });
});

describe('the attack of the paper', () => {
  it('takes steps of max(1/255, ε/K), for every K, and counts the last iterate', () => {
    const epsilon = 4 / 255;
    for (const [steps, stepSize] of [
      [1, 4 / 255],
      [2, 2 / 255],
      [4, 1 / 255],
      [10, 1 / 255],
      [200, 1 / 255],
    ] as const) {
      const attack = parseAttack(`pgd-${steps}-paper`);
      assert.ok(attack.kind === 'pgd');
      assert.deepEqual(
        [attack.name, attack.steps, attack.randomStart, attack.lastOnly, attack.restarts],
        [`pgd-${steps}-paper`, steps, true, true, 1],
      );
      assert.ok(Math.abs(stepSizeOf(attack, epsilon) - stepSize) < 1e-15, `${steps}`);
    }
  });
});

describe('names of attacks', () => {
  it('stand for steps, their length and restarts', () => {
    assert.deepEqual(parseAttack('pgd-50'), {
      kind: 'pgd',
      name: 'pgd-50',
      loss: 'ce',
      steps: 50,
      relativeStep: 0.05,
      randomStart: true,
      restarts: 1,
    });
    assert.equal(parseAttack('pgd-50-10').restarts, 10);
    assert.equal(parseGradientAttack('pgd-1').relativeStep, 2.5);
    assert.equal(parseGradientAttack('pgd-20-step0.0001').relativeStep, 0.0001);
    assert.deepEqual(parseAttack('pgd-cw-20-3-step2.5-cycles'), {
      kind: 'pgd',
      name: 'pgd-cw-20-3-step2.5-cycles',
      loss: 'margin',
      steps: 20,
      relativeStep: 2.5,
      randomStart: true,
      restarts: 3,
      cycles: true,
    });
    assert.deepEqual(parseAttack('pgd-20-paper-cycles'), {
      ...parseAttack('pgd-20-paper'),
      name: 'pgd-20-paper-cycles',
      cycles: true,
    });
  });

  it('that are unknown are refused', () => {
    for (const name of [
      '',
      'pgd',
      'pgd-0',
      'PGD-5',
      'pgd-5-0',
      'pgd--5',
      'pgd-1.5',
      'pgd-05',
      'fgsm-2',
      'apgd',
      'pgd-5-2-1',
      ' pgd-5',
    ])
      assert.throws(
        () => parseAttack(name),
        (error) =>
          error instanceof InputError && /Expected (fgsm, pgd-STEPS or|an attack for)/.test(error.message),
        name,
      );
  });
});

it('an unknown attack hears the nearest one, with its own number of steps', () => {
  for (const [received, meant] of [
    ['pgd50', 'pgd-50'],
    ['pdg-20', 'pgd-20'],
    ['pgd-20-papr', 'pgd-20-paper'],
    ['pgd-20-cycle', 'pgd-20-cycles'],
    ['mallt', 'malt'],
    ['apgdce', 'apgd-ce'],
    ['sqare', 'square'],
  ] as const)
    assert.throws(
      () => parseAttack(received),
      new RegExp(`received '${received}'\\. Did you mean '${meant}'\\?`),
    );
  assert.throws(() => parseAttack('carlini'), /Expected fgsm, pgd-STEPS or/);
});

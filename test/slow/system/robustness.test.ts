/**
 * The main objectives reach the robust accuracy that they should on Fashion-MNIST: whole recipes, through the command
 * line, measured on test images. Training without an adversary, the control, ends near 0 under the same attack.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { EvaluationResult } from '../../../src/evaluation/result.js';
import { satin } from '../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-robustness-'));
after(() => rmSync(folder, { recursive: true }));

/** Clean and robust accuracy under PGD-20 at ε = 0.1 on 500 test images. */
function measured(recipe: string): EvaluationResult {
  const run = join(folder, recipe);
  const trained = satin('train', recipe, '--out', run);
  assert.equal(trained.status, 0, trained.stderr);
  const json = join(folder, `${recipe}.json`);
  const { status, stderr } = satin(
    'evaluate',
    run,
    '--attack',
    'pgd-20',
    '--examples',
    '500',
    '--json',
    json,
  );
  assert.equal(status, 0, stderr);
  return JSON.parse(readFileSync(json, 'utf8')) as EvaluationResult;
}

describe('robust accuracy', () => {
  for (const [objective, recipe, least] of [
    ['PGD', 'fashion-mnist-silu', 0.55],
    ['SAT', 'fashion-mnist-sat', 0.5],
    ['TRADES', 'fashion-mnist-trades', 0.5],
  ] as const)
    it(`of ${objective} is at least ${Math.round(100 * least)} %, with ${Math.round(100 * least + 10)} % clean`, (t) => {
      const { clean, robust } = measured(recipe);
      t.diagnostic(`${(100 * clean).toFixed(1)} % clean, ${(100 * robust).toFixed(1)} % under PGD-20`);
      assert.ok(robust >= least, `${robust}`);
      assert.ok(clean >= least + 0.1, `${clean}`);
    });

  it('without an adversary is at most 15 %: the attack works, and the others are not robust by chance', (t) => {
    const { clean, robust } = measured('fashion-mnist-clean');
    t.diagnostic(`${(100 * clean).toFixed(1)} % clean, ${(100 * robust).toFixed(1)} % under PGD-20`);
    assert.ok(clean >= 0.8, `${clean}`);
    assert.ok(robust <= 0.15, `${robust}`);
  });
});

/**
 * A network that Satin trained, handed to PyTorch, saved there as TorchScript and measured again, gets the verdicts that
 * it got inside Satin. Where SATIN_PYTHON names a Python with torch and safetensors.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { EvaluationResult } from '../../../src/evaluation/result.js';
import { readCheckpoint } from '../../../src/runs/checkpoint.js';
import { satin } from '../../support/tiny-run.js';

const python = process.env.SATIN_PYTHON;
const script = fileURLToPath(new URL('../../../../scripts/golden/torchscript.py', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'satin-torchscript-'));
after(() => rmSync(folder, { recursive: true }));

function measured(model: string, words: readonly string[]): EvaluationResult {
  const json = join(folder, 'result.json');
  const { status, stderr } = satin('evaluate', model, '--examples', '200', '--json', json, ...words);
  assert.equal(status, 0, stderr);
  return JSON.parse(readFileSync(json, 'utf8')) as EvaluationResult;
}

it('at least 99.5 % of the verdicts of a network are the same in PyTorch’s file, for each attack', {
  skip: python === undefined ? 'SATIN_PYTHON names no Python' : false,
}, (context) => {
  const run = join(folder, 'run');
  const trained = satin('train', 'fashion-mnist-silu', '--out', run);
  assert.equal(trained.status, 0, trained.stderr);
  const { model, weightsFile } = readCheckpoint({ path: run });
  const file = join(folder, 'model.pt');
  const saved = spawnSync(python!, [script, weightsFile, file], { encoding: 'utf8' });
  assert.equal(saved.status, 0, saved.stderr);

  const { mean, std } = model.normalise!;
  const form = ['--input-range', '0,1', '--mean', mean.join(), '--std', std.join()];
  const threat = ['--data', 'fashion-mnist', '--norm', 'linf', '--epsilon', '0.1'];
  for (const attack of ['pgd-10', 'apgd-ce']) {
    const here = measured(run, ['--attack', attack]);
    const there = measured(file, ['--attack', attack, ...threat, ...form]);
    assert.equal(there.pixelsDigest, here.pixelsDigest);
    const verdict = ({ clean, brokenBy }: EvaluationResult['perExample'][number]) => `${clean} ${brokenBy}`;
    const same = here.perExample.filter((example, at) => verdict(example) === verdict(there.perExample[at]!));
    context.diagnostic(
      `${attack}: robust ${here.robust} and ${there.robust}, ${same.length} of 200 verdicts are the same`,
    );
    assert.ok(here.robust > 0.3 && here.robust < 0.9, `robust ${here.robust}`);
    assert.ok(same.length >= 199);
    assert.deepEqual(there.flags, []);
  }

  const fgsm = ['--attack', 'fgsm', ...threat];
  const missing = measured(file, fgsm);
  assert.ok(
    missing.flags.some(({ code }) => code === 'input-scale'),
    'a normalisation that is missing is told',
  );
  // The same normalisation in another range is the same network.
  const bytes = (list: readonly number[]) => list.map((each) => 255 * each).join();
  const other = measured(file, [
    ...fgsm,
    '--input-range',
    '0,255',
    '--mean',
    bytes(mean),
    '--std',
    bytes(std),
  ]);
  assert.equal(other.clean, measured(run, ['--attack', 'fgsm']).clean);
});

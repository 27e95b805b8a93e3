/** `satin train --set a=1,2`: the list of runs, Ctrl-C and the command that goes on, the table, a value that fails. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { mainFile, satin, tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-sweep-command-'));
after(() => rmSync(folder, { recursive: true }));
const recipe = join(folder, 'tiny.yaml');
writeTinyMnist(join(folder, 'mnist'));
writeFileSync(recipe, JSON.stringify(tinyRecipe(join(folder, 'mnist'))));
const out = join(folder, 'sweep');
const words = ['train', recipe, '--set', 'training.schedule.learningRate=0.1,1e30,0.05', '--out', out];

it('a sweep is listed, interrupted, resumed by the command that is named, and told as a table', async () => {
  const listed = satin(...words, '--dry-run');
  assert.equal(listed.status, 0, listed.stderr);
  assert.match(listed.stdout, /^3 runs, \d+ steps, into .*sweep:\nlearningRate=0\.1 .* would be trained\n/);
  assert.ok(!existsSync(out));
  const early = satin(...words, '--resume');
  assert.equal(early.status, 2);
  assert.match(early.stderr, /Expected the folder of a run for --resume/);

  const child = spawn(process.execPath, [mainFile, ...words]);
  let stderr = '';
  let isSent = false;
  child.stderr.on('data', (data) => {
    stderr += data;
    if (!isSent && /1\/3 .*\n.*\n.*\n +1\/3/.test(stderr)) isSent = child.kill('SIGINT');
  });
  assert.equal(await new Promise((resolve) => child.once('close', resolve)), 130, stderr);
  assert.match(
    stderr,
    /\nsatin: Interrupted; the progress of all runs is saved in \S+sweep\. Continue with: \.\/satin train \S+sweep --resume\n$/,
  );
  assert.match(satin(...words, '--resume', '--dry-run').stdout, /=0\.1 .* would go on after [12] epochs\n/);
  for (const more of [[], ['--resume', '--set', 'training.epochs=9'], ['--resume', '--out', 'other']])
    assert.equal(satin('train', out, ...more).status, 2);
  assert.match(satin(...words).stderr, /or --resume to continue that sweep/);

  const resumed = satin('train', out, '--resume');
  assert.equal(resumed.status, 1, resumed.stderr);
  assert.match(resumed.stderr, /learningRate=1e30 failed: The loss of step \d+ /);
  assert.match(resumed.stderr, /\nsatin: Expected all 3 runs to end, but learningRate=1e30 failed: /);
  const [, header = '', ...rows] = resumed.stdout.split('\n');
  assert.match(header, /^learningRate +robust +clean +epoch +run$/);
  const shares = rows.slice(0, 2).map((row) => Number(/(\d+\.\d) ?%/.exec(row)?.[1]));
  assert.ok(shares[0]! >= shares[1]!, resumed.stdout);
  assert.match(rows[2]!, /^1e30 .* failed$/);
  assert.match(resumed.stdout, /on validation images, best first\. Evaluate the best: \.\/satin evaluate /);
  assert.ok(existsSync(join(out, 'report.html')));
});

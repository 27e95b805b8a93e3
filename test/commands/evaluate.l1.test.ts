/** The norm L1 on the command line: trained in, measured by its standard set, verified, reported, and refused where it has no meaning. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { EvaluationResult } from '../../src/evaluation/result.js';
import { commandLines } from '../support/command-lines.js';
import { tinyRecipe, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-l1-'));
const lines = commandLines();
after(() => {
  lines.close();
  rmSync(folder, { recursive: true });
});
const place = (...names: string[]) => join(folder, ...names);
const run = place('run');
const threads = ['--threads', '1'];

describe('in L1', async () => {
  writeTinyMnist(place('mnist'));
  const recipe = { ...tinyRecipe(place('mnist')), threat: { norm: 'l1', epsilon: 4 } };
  writeFileSync(place('recipe.json'), JSON.stringify(recipe));
  const trained = await lines.run(['train', place('recipe.json'), '--out', run]);

  it('a network is trained and measured by the standard set of its norm, and its images verified', async () => {
    assert.equal(trained.status, 0, trained.stderr);
    const [kept, json, report] = [place('kept'), place('result.json'), place('report.html')];
    const words = [
      '--autoattack',
      'standard',
      '--examples',
      '24',
      '--batch',
      '24',
      '--save-adversarial',
      kept,
    ];
    const outputs = ['--json', json, '--report', report, '--curve-examples', '6'];
    const ended = await lines.run(['evaluate', run, ...words, ...outputs, '--epsilon', '8', ...threads]);
    assert.equal(ended.status, 0, ended.stderr);
    assert.match(ended.stdout, /24 images of mnist:test, L1, ε = 8, mode standard/);
    const result = JSON.parse(readFileSync(json, 'utf8')) as EvaluationResult;
    assert.deepEqual([result.norm, result.epsilon, result.mode], ['l1', 8, 'standard']);
    assert.equal(result.attacks[0]!.name, 'apgd-ce-large-5');
    assert.ok(result.robust < result.clean);
    const verified = await lines.run(['verify', kept, ...threads]);
    assert.equal(verified.status, 0, verified.stderr);
    assert.match(verified.stdout, /L1, ε = 8/);
    assert.match(verified.stdout, /verified: within ε and \[0, 1\]/);
    const page = readFileSync(report, 'utf8');
    assert.match(page, /by up to 8 in L1 distance/);
    assert.match(page, /ε \(L1\)/);
    assert.doesNotMatch(page, /in L2|L2,|\(L2\)/);
  });

  it('attacks that another norm defines alone are refused, and those of L1 elsewhere', async () => {
    const measure = (...words: string[]) =>
      lines.run([
        'evaluate',
        run,
        '--epsilon',
        '0.1',
        '--examples',
        '4',
        ...words,
        '--json',
        place('none.json'),
      ]);
    const refused = [
      [
        ['--norm', 'linf', '--attack', 'apgd-t-large'],
        /Expected l1 for the norm of apgd-t-large but received 'linf'/,
      ],
      [['--attack', 'pgd-50-paper'], /Expected linf for the norm of pgd-50-paper but received 'l1'/],
      [['--norm', 'l3'], /Did you mean 'l[12]'\?/],
    ] as const;
    for (const [words, message] of refused) {
      const ended = await measure(...words);
      assert.equal(ended.status, 2, words.join(' '));
      assert.match(ended.stderr, message);
    }
    assert.ok(!existsSync(place('none.json')));
  });
});

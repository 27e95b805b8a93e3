/** `satin evaluate`: one that is interrupted goes on where it was, and what does not fit together is refused. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { evaluateSettings } from '../../src/cli/evaluate-settings.js';
import { InputError } from '../../src/errors.js';
import type { EvaluationResult } from '../../src/evaluation/result.js';
import { mainFile, satin, tinyRecipe, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-evaluation-'));
after(() => rmSync(folder, { recursive: true }));
const place = (...names: readonly string[]) => join(folder, ...names);

/** All that an evaluation comes to, without what a clock wrote. */
const outcome = (result: EvaluationResult) =>
  JSON.parse(JSON.stringify(result, (key, value) => (key === 'seconds' || key === 'command' ? null : value)));

describe('satin evaluate', () => {
  const run = place('run');
  writeTinyMnist(place('mnist'));
  writeFileSync(place('tiny.yaml'), JSON.stringify(tinyRecipe(place('mnist'))));
  const trained = satin('train', place('tiny.yaml'), '--out', run);
  const words = [
    'evaluate',
    run,
    '--attack',
    'pgd-5',
    '--attack',
    'apgd-ce-4',
    '--epsilon',
    '0.001',
    '--json',
    '-',
  ];

  it('ends with code 1 below a required robust accuracy, with a JUnit file', () => {
    const file = place('junit.xml');
    const short = ['evaluate', run, '--attack', 'fgsm', '--epsilon', '0.5', '--examples', '16'];
    const missed = satin(...short, '--require-robust', '0.99', '--junit', file);
    assert.equal(missed.status, 1);
    assert.match(missed.stdout, /fgsm/, 'the table comes first');
    assert.match(missed.stderr, /Expected a robust accuracy of at least 99\.0%, as required, but it is/);
    assert.match(readFileSync(file, 'utf8'), /<failure type="robust-accuracy"/);
    assert.equal(satin(...short, '--require-robust', '0', '--junit', file).status, 0);
    assert.doesNotMatch(readFileSync(file, 'utf8'), /robust-accuracy/);
    for (const wrong of [
      ['--junit', file],
      ['--require-robust', '50'],
      ['--require-robust', '0.5', '--junit', place('nowhere', 'a.xml')],
    ])
      assert.equal(satin(...short, ...wrong).status, 2, wrong.join(' '));
  });

  it('says at a Ctrl-C how to go on, and goes on without anything typed again', async () => {
    assert.equal(trained.status, 0, trained.stderr);
    const alone = satin(...words, '--seed', '4', '--threads', '1', '--batch', '64');
    assert.equal(alone.status, 0, alone.stderr);
    const path = place('interrupted');
    const child = spawn(process.execPath, [
      mainFile,
      ...words,
      ...['--seed', '4', '--threads', '1', '--batch', '64', '--save-adversarial', path],
      ...['--require-robust', '1', '--junit', place('first.xml')],
    ]);
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const lines = join(path, 'verdicts.jsonl');
    const watch = setInterval(() => {
      // The first attack is done: the second is under way.
      if (existsSync(lines) && readFileSync(lines, 'utf8').includes('"stage":"pgd-5"')) {
        clearInterval(watch);
        child.kill('SIGINT');
      }
    }, 5);
    const status = await new Promise((resolve) => child.once('close', resolve));
    clearInterval(watch);
    assert.equal(status, 130, stderr);
    assert.match(
      stderr,
      /Interrupted; what was found is in .*\. Continue with: \.\/satin evaluate .* --resume /,
    );
    // It is required still, and the file, which lies outside the working directory, is named anew.
    const resumed = satin('evaluate', run, '--resume', path, '--json', '-', '--junit', place('later.xml'));
    assert.equal(resumed.status, 1, resumed.stderr);
    assert.match(resumed.stderr, /Expected a robust accuracy of at least 100\.0%, as required, but it is/);
    assert.match(readFileSync(place('later.xml'), 'utf8'), /<failure type="robust-accuracy"/);
    assert.ok(!existsSync(place('first.xml')));
    const [first, again] = [JSON.parse(alone.stdout), JSON.parse(resumed.stdout)] as EvaluationResult[];
    assert.deepEqual(outcome(again!), outcome(first!));
    assert.match(again!.command, /^\.\/satin evaluate .* --save-adversarial /);
  });

  it('refuses what does not fit together, in a sentence', () => {
    const path = place('interrupted');
    const refused = (words: Parameters<typeof evaluateSettings>[1], sentence: RegExp) =>
      assert.throws(
        () => evaluateSettings(run, words),
        (error) => error instanceof InputError && sentence.test(error.message),
      );
    refused(
      { autoattack: 'standard', attack: ['fgsm'] },
      /Expected no --attack for --autoattack standard but received 'fgsm'/,
    );
    refused(
      { resume: path, saveAdversarial: place('x') },
      /one of --save-adversarial, which starts, and --resume/,
    );
    refused({ resume: path, epsilon: '8/25S' }, /--epsilon but received '8\/25S'/);
    refused({ resume: place('x') }, /Expected an evaluation folder for `resume`/);
    refused(
      { resume: path, device: 'cuda' },
      /Expected cpu, on which .* was begun, for `device` but received 'cuda'\. Resume it there, or start another/,
    );
    const { status, stderr } = satin('evaluate', run, '--resume', path, '--data', 'mnist:train');
    assert.equal(status, 2, stderr);
    assert.match(stderr, /but data is 'mnist:train' and was 'mnist:test'/);
  });
});

describe('satin evaluate --autoattack', () => {
  const refused = (words: readonly string[], sentence: RegExp) => {
    const { status, stderr } = satin('evaluate', ...words);
    assert.equal(status, 2);
    assert.match(stderr, sentence);
  };

  it('takes the names of the sets alone', () => {
    refused(['runs/x', '--autoattack', 'fast'], /Allowed choices are standard, plus, rand/);
  });
});

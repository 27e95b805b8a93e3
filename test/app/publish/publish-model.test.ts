/** A run as a folder for the hub and as an entry for RobustBench: what is written, what it says, and what is refused. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parse } from 'yaml';
import { openModel } from '../../../src/app/model/open-model.js';
import { readModelFile } from '../../../src/app/model/read-model-file.js';
import { modelCard } from '../../../src/app/publish/model-card.js';
import { publishModel } from '../../../src/app/publish/publish-model.js';
import { robustBenchFiles } from '../../../src/app/publish/robustbench.js';
import { InputError } from '../../../src/errors.js';
import type { EvaluationResult } from '../../../src/evaluation/result.js';
import type { ModelDescription } from '../../../src/models/description.js';
import { Model } from '../../../src/models/model.js';
import { writeWeights } from '../../../src/runs/checkpoint.js';
import { toArrays } from '../../../src/weights/module-weights.js';
import { satin, tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-publish-'));
after(() => rmSync(folder, { recursive: true }));
const place = (...names: readonly string[]) => join(folder, ...names);
writeTinyMnist(place('mnist'));
writeFileSync(place('tiny.yaml'), JSON.stringify(tinyRecipe(place('mnist'))));

const description: ModelDescription = {
  architecture: 'resnet18',
  width: 1,
  activation: 'silu',
  classes: ['cat', '[dog](http://x)'],
  shape: [3, 32, 32],
  normalise: null,
};
const evaluation = {
  satin: '0.1.0',
  mode: 'standard',
  data: 'cifar10:test',
  clean: 0.81239,
  robust: 0.45678,
  interval: [0.42, 0.49],
  examples: 1000,
  norm: 'linf',
  epsilonText: '8/255',
  flags: [{ code: 'staircase', message: 'It is *flat*.' }],
  attacks: [{ name: 'apgd-ce', robustAfter: 0.46 }],
  engine: { libtorch: '2.13.0', commit: 'abcdef1234' },
} as unknown as EvaluationResult;

describe('satin publish', () => {
  const run = place('run');
  const trained = satin('train', place('tiny.yaml'), '--out', run);
  const kept = place('kept');
  const measured = satin('evaluate', run, '--attack', 'fgsm', '--examples', '8', '--save-adversarial', kept);

  it('writes a folder for the hub, whose weights are those of the run', () => {
    assert.equal(trained.status, 0, trained.stderr);
    assert.equal(measured.status, 0, measured.stderr);
    const out = place('hub');
    const made = satin(
      'publish',
      run,
      '--to',
      'huggingface',
      '--out',
      out,
      '--evaluation',
      kept,
      '--license',
      'mit',
    );
    assert.equal(made.status, 0, made.stderr);
    const card = readFileSync(join(out, 'README.md'), 'utf8');
    const [, front] = card.split('---\n');
    const metadata = parse(front!);
    assert.equal(metadata.license, 'mit');
    assert.equal(metadata.library_name, 'satin');
    const result = JSON.parse(readFileSync(join(kept, 'evaluation.json'), 'utf8'));
    const [clean, robust] = metadata['model-index'][0].results[0].metrics;
    assert.ok(Math.abs(clean.value - 100 * result.clean) < 0.01);
    assert.ok(Math.abs(robust.value - 100 * result.robust) < 0.01);
    assert.ok(!card.includes(folder), 'no place of this machine');
    assert.ok(existsSync(join(out, 'model.pt')) && existsSync(join(out, 'config.json')));
    using written = openModel(join(out, 'model.safetensors'));
    using original = openModel(run);
    assert.equal(written.digest, original.digest);
  });

  it('refuses a folder in use, an evaluation of another model, and options of the other place', () => {
    const misused = satin('publish', run, '--to', 'huggingface', '--title', 'A', '--out', place('no'));
    assert.equal(misused.status, 2);
    assert.match(misused.stderr, /robustbench for --to, as --title was given/);
    const other = place('other.safetensors');
    using model = Model.create({ ...description, architecture: 'resnet8', width: 0.25 }, { seed: 5 });
    writeWeights(other, { model: model.description, weights: toArrays(model.network.state()) });
    const out = place('no');
    for (const [file, options, message] of [
      [run, { format: 'huggingface', out: kept }, /empty|exist/],
      [run, { format: 'robustbench', out }, /AutoAttack/],
      [run, { format: 'robustbench', out, evaluation: kept }, /standard set/],
      [other, { format: 'huggingface', out, evaluation: kept }, /Expected an evaluation of .*sha256/],
    ] as const)
      assert.throws(
        () => publishModel(readModelFile(file), options),
        (error) => error instanceof InputError && message.test(error.message),
      );
    assert.ok(!existsSync(out));
  });
});

it('a model card has names without meaning, the table, and what the checks found', () => {
  const card = modelCard({
    name: 'a_b',
    license: null,
    description,
    recipe: null,
    commit: null,
    evaluation,
    isTimm: false,
  });
  assert.ok(card.includes('cat, \\[dog\\]\\(http://x\\)'));
  assert.match(card, /\| after apgd-ce \| 46\.0 % \|/);
  assert.match(card, /\*\*45\.7 %\*\*/);
  assert.match(card, /`staircase`: It is \\\*flat\\\*\./);
  assert.match(card, /Robust accuracy \(L∞, ε = 8\/255, AutoAttack\)/);
  assert.match(card, /its weights come from another program/);
});

it('an entry for RobustBench has the fields of its table, with the digits of its own', () => {
  const paper = {
    title: 'Smooth',
    authors: 'A, B',
    link: 'https://example.org',
    venue: 'V',
    additionalData: false,
  };
  const files = robustBenchFiles({ name: 'Xie2020Smooth', evaluation, description, paper });
  const { footnote: _, ...info } = JSON.parse(files.get('Xie2020Smooth.json')!);
  assert.deepEqual(info, {
    link: 'https://example.org',
    name: 'Smooth',
    authors: 'A, B',
    additional_data: false,
    number_forward_passes: 1,
    dataset: 'cifar10',
    venue: 'V',
    architecture: 'resnet18, silu',
    eps: '8/255',
    clean_acc: '81.24',
    reported: '45.68',
    autoattack_acc: '45.68',
    unreliable: false,
  });
  assert.match(files.get('entry.py')!, /class Xie2020Smooth\(torch\.nn\.Module\)/);
  for (const name of ['a-b', '2b', 'x";import os'])
    assert.throws(
      () => robustBenchFiles({ name, evaluation, description, paper }),
      /as RobustBench names models/,
    );
  const elsewhere = { ...evaluation, data: 'folder:test' } as EvaluationResult;
  assert.throws(
    () => robustBenchFiles({ name: 'A', evaluation: elsewhere, description, paper }),
    /has a table for/,
  );
  const sparse = { ...evaluation, norm: 'l1' } as EvaluationResult;
  assert.throws(
    () => robustBenchFiles({ name: 'A', evaluation: sparse, description, paper }),
    /a norm that RobustBench has a table for/,
  );
});

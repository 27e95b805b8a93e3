import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { epsilonCurve } from '../../src/app/evaluate/epsilon-curve.js';
import { evaluateRun } from '../../src/app/evaluate/evaluate-run.js';
import { loadExamples } from '../../src/app/evaluate/load-examples.js';
import { functionModel, openModel } from '../../src/app/model/open-model.js';
import { evaluationReport } from '../../src/app/report/evaluation-report.js';
import { trainRun } from '../../src/app/train/train-run.js';
import { evaluationTable } from '../../src/cli/terminal/evaluation-table.js';
import { setThreads } from '../../src/engine/engine-info.js';
import type { EvaluationResult } from '../../src/evaluation/result.js';
import { parseRecipe } from '../../src/recipe/recipe.js';
import { commandLines } from '../support/command-lines.js';
import { pageText } from '../support/page-text.js';
import { tinyRecipe, writeTinyMnist } from '../support/tiny-run.js';

setThreads(1);

describe('satin evaluate --report', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'satin-evaluation-report-'));
  after(() => rmSync(folder, { recursive: true }));
  const lines = commandLines();
  after(() => lines.close());
  const dir = join(folder, 'mnist');
  writeTinyMnist(dir);
  const tiny = tinyRecipe(dir);
  const schedule = { name: 'one-cycle', learningRate: 0.1, warmup: 3 };
  const training = { objective: 'clean', epochs: 15, batch: 16, schedule };
  const data = { name: 'mnist', dir, validation: 32 };
  const recipe = parseRecipe({ ...tiny, data, training }, 'the tiny recipe');
  const run = join(folder, 'run');
  await trainRun({ recipe, path: run, resume: false, interrupted: () => false, onEvent: () => {} });
  const evaluate = (...words: string[]) => lines.run(['evaluate', run, '--threads', '1', ...words]);
  const report = join(folder, 'report.html');
  const json = join(folder, 'result.json');
  const threat = ['--epsilon', '24/255', '--examples', '32', '--attack', 'apgd-ce', '--attack', 'fgsm'];
  const answer = await evaluate(...threat, '--report', report, '--json', json, '--curve-examples', '24');

  it('writes the page of what it printed, of a checkpoint without its recipe too', async () => {
    assert.equal(answer.status, 0, answer.stderr);
    const result: EvaluationResult = JSON.parse(readFileSync(json, 'utf8'));
    assert.equal(answer.stdout, evaluationTable(result));
    assert.match(answer.stderr, /The report is .*report\.html/);
    const read = pageText(readFileSync(report, 'utf8'));
    assert.ok(read.includes(result.modelDigest) && read.includes(result.pixelsDigest));
    assert.match(read, /Attack: apgd-ce; 24 test images per point/);
    assert.match(read, /✗ wrong:/);

    const weights = join(run, 'checkpoints', 'best.json');
    const alone = join(folder, 'weights.html');
    const words = [
      'evaluate',
      weights,
      '--threads',
      '1',
      '--norm',
      'l2',
      '--epsilon',
      '1',
      '--data',
      'mnist',
    ];
    const page = ['--data-dir', dir, '--examples', '8', '--attack', 'fgsm', '--report', alone];
    const { status, stderr } = await lines.run([...words, ...page, '--curve-examples', '0']);
    assert.equal(status, 0, stderr);
    const other = pageText(readFileSync(alone, 'utf8'));
    assert.match(other, /the image may move by up to 1 in L2 distance/);
    assert.doesNotMatch(other, /Accuracy against ε/);
  });

  it('refuses a page that exists, a folder that does not, and a count that is none', async () => {
    const refused = async (words: readonly string[], sentence: RegExp) => {
      const { status, stdout, stderr } = await evaluate(...words);
      assert.match(stderr, sentence);
      assert.deepEqual([status, stdout], [2, '']);
    };
    await refused(['--report', report], /does not exist yet for --report/);
    await refused(['--report', join(folder, 'no', 'r.html')], /file in an existing folder for --report/);
    await refused(['--curve-examples', '-1'], /whole number of at least 0 for --curve-examples/);
    assert.ok(!existsSync(join(folder, 'no')));
  });

  it('is written from what there is where it is interrupted', async () => {
    using model = openModel(run);
    const images = await loadExamples(model, { name: 'mnist', split: 'test', dir, count: 8, seed: 0 });
    const result: EvaluationResult = JSON.parse(readFileSync(json, 'utf8'));
    const perExample = result.perExample.slice(0, 8);
    const measured = {
      result: { ...result, perExample, examples: 8 },
      evaluation: { ...result, perExample, adversarial: new Map<number, Float32Array>() },
    };
    const options = { model, data: images, measured, curveExamples: 8, batch: 8 };
    const cut = await evaluationReport({ ...options, interrupted: () => true });
    assert.equal(cut.isWhole, false);
    assert.match(pageText(cut.page), /This page was interrupted/);
    assert.ok(!cut.page.includes('id="epsilon"'));
    const done: number[] = [];
    const half = await evaluationReport({
      ...options,
      interrupted: () => (done.at(-1) ?? 0) > 16, // past the second ε
      onProgress: ({ done: images }) => done.push(images),
    });
    assert.equal(half.isWhole, false);
    assert.ok(half.page.includes('id="epsilon"'));
    assert.deepEqual(
      done,
      [...done].sort((a, b) => a - b),
      'one bar for the whole',
    );
    const whole = await evaluationReport({ ...options, interrupted: () => false });
    assert.equal(whole.isWhole, true);
    assert.doesNotMatch(pageText(whole.page), /interrupted/);
  });

  it('shows of a model without a gradient what square broke, and no curve', async () => {
    using model = openModel(run);
    const data = await loadExamples(model, { name: 'mnist', split: 'test', dir, count: 16, seed: 0 });
    using blind = functionModel({
      name: 'a model without a gradient',
      classify: (x) => model.classify(x).detach(),
      shape: model.shape,
      classes: model.classes,
    });
    const epsilon = { epsilon: 60 / 255, epsilonText: '60/255' };
    const threat = { norm: 'linf', epsilon, seed: 0, batch: 16 } as const;
    const measured = await evaluateRun({
      ...threat,
      model: blind,
      data,
      attacks: ['square'],
      interrupted: () => false,
    });
    const stands = measured.result.perExample.filter(({ clean, brokenBy }) => clean && brokenBy === null);
    const broken = measured.result.perExample.filter(({ brokenBy }) => brokenBy === 'square');
    assert.ok(broken.length > 0 && broken.length + stands.length > 0);
    const options = { data, measured, curveExamples: 16, batch: 16, interrupted: () => false };
    const { page } = await evaluationReport({ ...options, model: blind });
    assert.match(pageText(page), /cannot be differentiated/);
    assert.doesNotMatch(page, /id="epsilon"/);
    assert.equal(page.match(/class="card example"/g)?.length, Math.min(8, broken.length));
  });

  it('draws a curve that takes over known verdicts, never rises, and attacks only what stands', async () => {
    const result: EvaluationResult = JSON.parse(readFileSync(json, 'utf8'));
    using model = openModel(run);
    const source = { name: 'mnist', split: 'test', dir, count: 32, seed: 0 } as const;
    const images = await loadExamples(model, source);
    const sizes: number[] = [];
    const draw = (known?: EvaluationResult) =>
      epsilonCurve({
        model,
        data: images,
        threat: result,
        multiples: [0.5, 1, 1.5, 8],
        attack: 'apgd-ce',
        ...(known === undefined ? {} : { known }),
        seed: 0,
        batch: 32,
        interrupted: () => false,
        onProgress: ({ stage, total }) => {
          if (stage.startsWith('clean')) sizes.push(total);
        },
      });
    const alone = await draw();
    const passes = sizes.length;
    assert.ok(passes >= 3 && sizes.at(-1)! < 32 && sizes[0] === 32, sizes.join());
    for (const [place, { robust }] of alone.entries())
      if (place > 0) assert.ok(robust <= alone[place - 1]!.robust);
    assert.ok(alone.at(-1)!.robust < alone[0]!.robust);
    sizes.length = 0;
    const told = await draw(result);
    assert.equal(sizes.length, passes - 1, 'one ε is known');
    const place = told.findIndex(({ epsilonText }) => epsilonText === '24/255');
    // At a smaller ε an image may fall that at this ε stood: both are true of the curve.
    assert.ok(told[place]!.robust <= result.attacks[0]!.robustAfter);
    assert.ok(told[place]!.robust >= result.attacks[0]!.robustAfter - 2 / 32);
    assert.equal(told[0]!.robust, result.clean);
  });
});

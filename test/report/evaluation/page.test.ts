/** The page and the terminal's table of one evaluation. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { epsilonCurve } from '../../../src/app/evaluate/epsilon-curve.js';
import { loadExamples } from '../../../src/app/evaluate/load-examples.js';

import { openModel } from '../../../src/app/model/open-model.js';
import { evaluationReport } from '../../../src/app/report/evaluation-report.js';
import { trainRun } from '../../../src/app/train/train-run.js';
import { evaluationTable } from '../../../src/cli/terminal/evaluation-table.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import type { EvaluationResult } from '../../../src/evaluation/result.js';
import { parseRecipe } from '../../../src/recipe/recipe.js';
import { modeInWords } from '../../../src/report/evaluation/headline.js';
import { renderEvaluation } from '../../../src/report/evaluation/page.js';
import { commandLines } from '../../support/command-lines.js';
import { madeUp, pageInput } from '../../support/evaluation-input.js';
import { tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

setThreads(1);

/** What a reader sees: no tags, one kind of space, entities resolved. */
function text(page: string): string {
  return page
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');
}

const occurrences = (page: string, pattern: RegExp) => [...page.matchAll(pattern)].length;

const flags = [
  { code: 'square-beats-gradient', message: 'Square broke 9 <examples>. Try --surrogate "softplus(10)".' },
];
const ten = ['plane', 'car', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck & lorry'];
const small = madeUp({ classes: ten, examples: 500, flags });
const thousand = Array.from({ length: 1000 }, (_, label) => `class ${label}, with <more> words`);
const large = madeUp({ classes: thousand, examples: 5000, alone: false, mode: 'custom' });

describe('the page of an evaluation', async () => {
  const page = await renderEvaluation(pageInput(small));
  const read = text(page);

  it('loads nothing and escapes what it is given', () => {
    assert.equal(occurrences(page, /https?:|<script|<link|<iframe|@import|url\(/g), 0);
    assert.equal(occurrences(page, /<b>net|<examples>|car & |photos & /g), 0);
    assert.match(page, /Content-Security-Policy" content="default-src 'none'/);
    assert.ok(read.includes("./satin evaluate 'models/<b>net</b>.pt' --autoattack standard"));
  });

  it('has its parts in order', () => {
    const headings = [...page.matchAll(/<h2[^>]*>([^<]*)</g)].map(([, heading]) => heading);
    assert.deepEqual(headings, [
      'The numbers that matter',
      'Read this before you rely on these numbers',
      'What each attack broke',
      'As the attack grows stronger',
      'What became of each image',
      'Class by class',
      'What the attack does',
      'How to read this',
      'To make it again',
    ]);
  });

  it('says both accuracies with their intervals, the threat and the mode', () => {
    assert.match(
      read,
      /Of 500 images the model gets 80\.0 % right as they are, and at most 49\.\d % under attack: every pixel may change by up to 8\/255\./,
    );
    assert.match(read, /76\.3–83\.3 %/);
    assert.match(read, /Mode standard: AutoAttack's own four attacks, with nothing changed\./);
    assert.match(read, /took 12 min 34 s/);
    for (const mode of ['plus', 'rand', 'custom'] as const)
      assert.match(modeInWords({ mode }), new RegExp(`^Mode ${mode}: `));
  });

  it('puts every flag with its next step into a box, and says so where there is none', async () => {
    assert.match(
      read,
      /square-beats-gradient Square broke 9 <examples>\. Try --surrogate "softplus\(10\)"\./,
    );
    const without = text(await renderEvaluation(pageInput({ ...small, flags: [] })));
    assert.match(without, /What the checks found Nothing: no check that was made speaks against/);
  });

  it('tells of every attack what it broke in sequence and alone, its time and its passes', () => {
    for (const { name, attacked, broken, alone, robustAfter, forwards } of small.attacks) {
      const share = (value: number) => `${(100 * value).toFixed(1)} %`;
      const aloneShare = share((alone!.attacked - alone!.broken) / 500);
      assert.ok(
        read.includes(`${name} ${share(robustAfter)} ${attacked} ${broken} ${alone!.broken} ${aloneShare}`),
        name,
      );
      assert.ok(read.includes(forwards.toLocaleString('en')));
    }
  });

  it('counts every image once by its worst case, and lists the ids', () => {
    const legend = /<dl class="legend">(.*?)<\/dl>/s.exec(page)![1]!;
    const counts = [...legend.matchAll(/<dd>([\d,]+) /g)].map(([, value]) => Number(value));
    assert.equal(counts.length, 5);
    assert.equal(
      counts.reduce((sum, each) => sum + each, 0),
      500,
    );
    assert.equal(counts[0], Math.round(small.robust * 500));
    const broken = small.perExample.filter(({ brokenBy }) => brokenBy === 'apgd-t').map(({ id }) => id);
    assert.ok(read.includes(`broken by apgd-t ${broken.join(', ')}`));
  });

  it('labels accuracy against ε with its attack, and gives it as a table', () => {
    assert.match(read, /Attack: apgd-ce; 200 test images a point/);
    assert.match(page, /role="img" aria-label="Line chart of accuracy against ε\. the model: 80\.0/);
    assert.match(read, /the model 32\/255 apgd-ce 200/);
    assert.doesNotMatch(page, /NaN|undefined|Infinity/);
  });

  it('shows all of ten classes, the least robust first', () => {
    const section = page.slice(page.indexOf('id="classes"'), page.indexOf('id="gallery"'));
    const shares = [...section.matchAll(/<td>([\d.]+)\s%<\/td><td>([\d.]+)\s%<\/td><td>(\d+)<\/td>/g)];
    assert.equal(shares.length, 10);
    const robust = shares.map(([, share]) => Number(share));
    assert.deepEqual(
      robust,
      [...robust].sort((a, b) => a - b),
    );
    assert.ok(shares.every(([, under, clean]) => Number(under) <= Number(clean)));
    assert.ok(shares.every(([, , , images]) => images === '50'));
  });

  it('is accessible: pictures and figures have texts, tables captions, bars numbers beside them, ids are unique', () => {
    assert.ok(occurrences(page, /<img /g) >= 3);
    assert.equal(occurrences(page, /<img /g), occurrences(page, /<img [^>]*alt="[^"]{8,}"/g));
    assert.equal(occurrences(page, /<table>/g), occurrences(page, /<table>\s*<caption>/g));
    assert.equal(occurrences(page, /class="bar"/g), occurrences(page, /class="bar" aria-hidden="true"/g));
    assert.equal(occurrences(page, /<svg /g), occurrences(page, /class="figure" role="img" aria-label="/g));
    assert.equal(occurrences(page, /<th scope="col"[^>]*><\/th>/g), 0);
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const [, id] of page.matchAll(/aria-labelledby="([^"]*)"/g)) assert.ok(ids.includes(id));
  });

  it('gives what one needs to repeat it', () => {
    for (const shown of [
      small.modelDigest,
      small.pixelsDigest,
      '1.13.1, AVX2',
      'abc123',
      '250 images, as given',
    ])
      assert.ok(read.includes(shown), shown);
  });
});

describe('the page of an evaluation of 1,000 classes', async () => {
  const page = await renderEvaluation({ ...pageInput(large), curve: [], gallery: [] });

  it('shows the worst 20 and folds away the others', () => {
    const section = page.slice(page.indexOf('id="classes"'), page.indexOf('id="reading"'));
    const [shown, folded] = section.split('<details>');
    assert.equal(occurrences(shown!, /class="bar"/g), 20);
    assert.equal(occurrences(folded!, /<tr>/g), 1001);
    assert.match(text(section), /The 20 least robust of 1,000 classes/);
  });

  it('has neither a curve nor a gallery where there is none, names no attack alone, and stays small', () => {
    assert.doesNotMatch(page, /As the attack grows|What the attack does|Broken alone|NaN|undefined/);
    assert.ok(page.length < 400_000, `${page.length} characters`);
  });
});

describe('the table of an evaluation', () => {
  it('fits a terminal of 80 columns, numbers in line', () => {
    for (const result of [small, large]) {
      const lines = evaluationTable(result).split('\n');
      for (const line of lines) assert.ok(line.length <= 80, line);
      const rows = lines.filter((line) => /^(attack|apgd|fab|square) ?/.test(line));
      assert.equal(rows.length, 5);
      assert.equal(new Set(rows.map((row) => row.length)).size, 1, 'the last column ends in line');
    }
  });

  it('tells attacks, what they break alone, both accuracies, and flags with their next step', () => {
    const shown = evaluationTable(small);
    assert.match(shown, /^500 images of photos & more:test, L∞, ε = 8\/255, mode standard\n/);
    assert.match(shown, /attack +attacked +broke +alone +left +time +forwards +backwards/);
    assert.match(shown, /apgd-ce +400 +\d+ +\d+ +\d\d\.\d% +2m 04s +493\.6K +480K/);
    assert.match(shown, /clean accuracy +80\.0% +95 % interval 76\.3% to 83\.3%/);
    assert.match(shown, /flag square-beats-gradient\n {2}Square broke 9 <examples>\. Try/);
    assert.doesNotMatch(evaluationTable(large), /alone|flag/);
  });
});

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
    const read = text(readFileSync(report, 'utf8'));
    assert.ok(read.includes(result.modelDigest) && read.includes(result.pixelsDigest));
    assert.match(read, /Attack: apgd-ce; 24 test images a point/);
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
    const other = text(readFileSync(alone, 'utf8'));
    assert.match(other, /the image may move by up to 1 in L2 distance/);
    assert.doesNotMatch(other, /As the attack grows stronger/);
  });

  it('refuses a page that exists, a folder that does not, and a count that is none', async () => {
    const refused = async (words: readonly string[], sentence: RegExp) => {
      const { status, stdout, stderr } = await evaluate(...words);
      assert.match(stderr, sentence);
      assert.deepEqual([status, stdout], [2, '']);
    };
    await refused(['--report', report], /does not exist yet for --report/);
    await refused(['--report', join(folder, 'no', 'r.html')], /folder that exists for --report/);
    await refused(['--curve-examples', '-1'], /whole number of at least 0 for --curve-examples/);
    assert.ok(!existsSync(join(folder, 'no')));
  });

  it('says that the result stands where the page is interrupted', async () => {
    using model = openModel(run);
    const images = await loadExamples(model, { name: 'mnist', split: 'test', dir, count: 8, seed: 0 });
    const result: EvaluationResult = JSON.parse(readFileSync(json, 'utf8'));
    const perExample = result.perExample.slice(0, 8);
    const measured = {
      result: { ...result, perExample, examples: 8 },
      evaluation: { ...result, perExample, adversarial: new Map<number, Float32Array>() },
    };
    const options = { model, data: images, measured, curveExamples: 8, batch: 8 };
    await assert.rejects(
      evaluationReport({ ...options, interrupted: () => true }),
      /Interrupted; the result was told, its page was not written\./,
    );
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

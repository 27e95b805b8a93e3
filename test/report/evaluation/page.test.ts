/** The page of an evaluation. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import { modeInWords } from '../../../src/report/evaluation/headline.js';
import { renderEvaluation } from '../../../src/report/evaluation/page.js';
import { madeUp, pageInput } from '../../support/evaluation-input.js';
import { pageText } from '../../support/page-text.js';

setThreads(1);

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
  const read = pageText(page);

  it('loads nothing and escapes what it is given', () => {
    assert.equal(occurrences(page, /https?:|<script|<link|<iframe|@import|url\(/g), 0);
    assert.equal(occurrences(page, /<b>net|<examples>|car & |photos & /g), 0);
    assert.match(page, /Content-Security-Policy" content="default-src 'none'/);
    assert.ok(read.includes("./satin evaluate 'models/<b>net</b>.pt' --autoattack standard"));
  });

  it('has its parts in order', () => {
    const headings = [...page.matchAll(/<h2[^>]*>([^<]*)</g)].map(([, heading]) => heading);
    assert.deepEqual(headings, [
      'Clean and robust accuracy',
      'Read this before relying on these numbers',
      'What was found in the images',
      'What each attack broke',
      'Accuracy against ε',
      'Outcome of each image',
      'Accuracy per class',
      'Adversarial examples',
      'How to read this',
      'Reproducing this evaluation',
    ]);
  });

  it('says both accuracies with their intervals, the threat and the mode', () => {
    assert.match(
      read,
      /Of 500 images the model classifies 80\.0 % correctly without attack, and at most 49\.\d % under attack: every pixel may change by up to 8\/255\./,
    );
    assert.match(read, /76\.3–83\.3 %/);
    assert.match(read, /Mode standard: AutoAttack's four standard attacks, unchanged\./);
    assert.match(read, /took 12 min 34 s/);
    for (const mode of ['plus', 'rand', 'custom'] as const)
      assert.match(modeInWords({ mode }), new RegExp(`^Mode ${mode}: `));
  });

  it('puts every flag with its next step into a box, and says so where there is none', async () => {
    assert.match(
      read,
      /square-beats-gradient Square broke 9 <examples>\. Try --surrogate "softplus\(10\)"\./,
    );
    const without = pageText(await renderEvaluation(pageInput({ ...small, flags: [] })));
    assert.match(without, /Checks No check raised a flag/);
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
    assert.match(read, /Attack: apgd-ce; 200 test images per point/);
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
    assert.match(pageText(section), /The 20 least robust of 1,000 classes/);
  });

  it('has neither a curve nor a gallery where there is none, names no attack alone, and stays small', () => {
    assert.doesNotMatch(page, /Accuracy against ε|Adversarial examples|Broken alone|NaN|undefined/);
    assert.ok(page.length < 400_000, `${page.length} characters`);
  });
});

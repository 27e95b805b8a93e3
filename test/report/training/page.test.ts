import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '../../../src/errors.js';
import type { ReportInput } from '../../../src/report/input.js';
import { renderReport } from '../../../src/report/training/page.js';
import { pageText } from '../../support/page-text.js';
import { example, network, picture, two } from '../../support/report-input.js';

function occurrences(page: string, pattern: RegExp): number {
  return [...page.matchAll(pattern)].length;
}

describe('the report', async () => {
  const page = await renderReport(two);
  const read = pageText(page);

  it('loads nothing: no address, no script, no link, pictures in data URLs only', () => {
    assert.equal(occurrences(page, /https?:|<script|<link|<iframe|@import|url\(/g), 0);
    const sources = [...page.matchAll(/\b(?:src|href)="([^"]{0,22})/g)].map(([, source]) => source);
    assert.equal(sources.length, 5);
    for (const source of sources) assert.equal(source, 'data:image/png;base64,');
    assert.match(page, /http-equiv="Content-Security-Policy" content="default-src 'none'/);
  });

  it('escapes every string that it is given', () => {
    assert.equal(occurrences(page, /<top>|<under>|<a>|f\(x\) < x|"purse"/g), 0);
    for (const shown of ['T-shirt <top>', 'Bag & "purse"', 'f(x) < x & more', "--out 'runs/<a>' --seed 7"])
      assert.ok(read.includes(shown), shown);
  });

  it('says the verdict in one sentence, with the notice beside it', () => {
    assert.ok(
      read.includes(
        'Attacked with pgd-50 (every pixel may change by up to 0.1), ReLU still classifies 68.2 % of 1,000 test images correctly ' +
          'and SiLU 71.1 %; without attack, ReLU classifies 83.5 % and SiLU 85.1 %.',
      ),
    );
    assert.ok(read.indexOf(two.notice) > 0 && read.indexOf(two.notice) < read.indexOf('Learning curves'));
    assert.match(read, /21 images are robust only for ReLU and 50 only for SiLU: a larger .*p < 0\.001/);
  });

  it('shows accuracies with their intervals, the attacks and where all came from', () => {
    for (const shown of ['81.1–85.6 %', '65.1–70.9 %', '82.7–87.2 %', '68.0–73.8 %', '38,123', '37,456'])
      assert.ok(read.includes(shown), shown);
    for (const shown of ['sha256:model-of-SiLU', 'sha256:pixels', 'abc123', '1.13.1', '2 min 10 s'])
      assert.ok(read.includes(shown), shown);
  });

  it('says of a network that its patience ended its training', async () => {
    const stoppedEarly = 'Stopped early: epoch 4 was no better than epoch 3.';
    const [relu, silu] = two.networks;
    const patient = await renderReport({ ...two, networks: [relu!, { ...silu!, stoppedEarly }] });
    assert.equal(occurrences(patient, /Stopped early: epoch 4 was/g), 1);
    assert.doesNotMatch(page, /Stopped early/);
  });

  it('has its parts in the promised order', () => {
    const headings = [...page.matchAll(/<h2[^>]*>([^<]*)</g)].map(([, heading]) => heading);
    assert.deepEqual(headings, [
      'Clean and robust accuracy',
      'Learning curves',
      'Accuracy with confidence intervals',
      'Accuracy against ε',
      'Adversarial examples',
      'The attacks',
      'How to read this',
      'Reproducing this report',
    ]);
  });

  it('says where each network was trained and evaluated', () => {
    assert.equal(occurrences(page, /cuda:0 \(NVIDIA &lt;H100&gt;\), tf32; cpu, float32/g), 2);
    assert.match(page, /Trained on.*Evaluated on/);
  });

  it('draws five figures, each one SVG with a description, coloured by the variables of the page', () => {
    assert.equal(occurrences(page, /<svg /g), 5);
    assert.equal(occurrences(page, /class="figure" role="img" aria-label="[^"]{40,}"/g), 5);
    const svgs = [...page.matchAll(/<svg .*?<\/svg>/gs)].map(([svg]) => svg);
    for (const svg of svgs) {
      assert.match(svg, /var\(--series1\)/);
      const fixed = [...svg.matchAll(/(?:fill|stroke)="([^"]*)"/g)].map(([, colour]) => colour!);
      for (const colour of fixed) assert.match(colour, /^(none|transparent|var\(--\w+\))$/);
      assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
    }
  });

  it('marks the epoch that was kept, and says how far the last one lies behind it', async () => {
    const section = (markup: string) =>
      markup.slice(markup.indexOf('id="learning"'), markup.indexOf('id="accuracy"'));
    const rings = (markup: string) =>
      section(markup).match(/<path[^>]*stroke="var\(--series[01]\)"[^>]*stroke-width="1\.5"/g)?.length ?? 0;
    assert.equal(rings(page), 2, 'one a network, in one of the three figures');
    assert.match(
      section(page),
      /A ring marks the epoch whose weights were kept: the best accuracy under attack\.<\/p>/,
    );

    const [first, second] = two.networks;
    const falling = first!.epochs.map((point) => ({
      ...point,
      validationRobust: [0.4, 0.62, 0.6, 0.553][point.epoch - 1]!,
    }));
    const other = await renderReport({ ...two, networks: [{ ...first!, epochs: falling }, second!] });
    assert.match(
      section(other),
      /under attack\. ReLU was best after epoch 2 with 62\.0\s% under attack, and had 55\.3\s% after the last\.<\/p>/,
    );

    const clean = falling.map((point) => ({
      ...point,
      chosenBy: 'validationClean' as const,
      validationClean: [0.7, 0.8, 0.91, 0.9][point.epoch - 1]!,
    }));
    const mixed = section(await renderReport({ ...two, networks: [{ ...first!, epochs: clean }, second!] }));
    assert.match(
      mixed,
      /were kept: the best accuracy on clean images or under attack\. ReLU was best after epoch 3/,
    );
    assert.match(mixed, /with 91\.0\s% on clean images, and had 90\.0\s% after the last\.<\/p>/);
    assert.equal(rings(mixed), 2, 'one a network, each in the figure of what chose');
  });

  it('is accessible: every picture has a text, every table a caption, ids are unique, verdicts have words', () => {
    assert.equal(occurrences(page, /<img /g), occurrences(page, /<img [^>]*alt="[^"]{8,}"/g));
    assert.equal(occurrences(page, /<table>/g), occurrences(page, /<table>\s*<caption>/g));
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(occurrences(read, /✗ wrong: Bag & "purse" 51 %/g), 1);
    assert.equal(occurrences(read, /✓ right: T-shirt <top> 97 %/g), 2);
  });

  it('states one factor for all magnified changes and that PNGs are for looking only', () => {
    assert.match(read, /magnified 5 times/);
    assert.match(read, /PNGs with 8 bits per channel, for display only/);
  });

  it('stays small', () => assert.ok(page.length < 200_000, `${page.length} characters`));
});

describe('the report of other inputs', () => {
  it('works with one network, one epoch, no curve, no gallery, no comparison', async () => {
    const page = await renderReport({
      ...two,
      comparisons: [],
      networks: [{ ...network('GELU', 0.6, 0.3, 1), curve: [] }],
      gallery: [],
    });
    assert.equal(occurrences(page, /<svg /g), 4);
    assert.equal(occurrences(page, /<img /g), 0);
    assert.doesNotMatch(page, />Adversarial examples<|McNemar|NaN|undefined/);
    assert.match(
      pageText(page),
      /GELU still classifies 30\.0 % of 1,000 test images correctly; .* GELU classifies 60\.0 %\./,
    );
  });

  it('compares more than two networks in a table of all pairs', async () => {
    const names = ['ReLU', 'SiLU', 'GELU'];
    const page = await renderReport({
      ...two,
      networks: names.map((name) => network(name, 0.8, 0.6)),
      comparisons: [
        { first: 'ReLU', other: 'SiLU', onlyFirstRight: 21, onlyOtherRight: 50, pValue: 0.0022 },
        { first: 'ReLU', other: 'GELU', onlyFirstRight: 31, onlyOtherRight: 32, pValue: 1 },
        { first: 'SiLU', other: 'GELU', onlyFirstRight: 41, onlyOtherRight: 27, pValue: 0.23 },
      ],
      gallery: [],
    });
    const read = pageText(page);
    for (const row of [
      /ReLU and SiLU 21 50 0\.002/,
      /ReLU and GELU 31 32 1\.000/,
      /SiLU and GELU 41 27 0\.230/,
    ])
      assert.match(read, row);
    assert.match(read, /Holm-adjusted/);
  });

  it('says it where smoothness brings nothing, and is silent where it does', async () => {
    const page = async (relu: number, silu: number) =>
      pageText(
        await renderReport({ ...two, networks: [network('ReLU', 0.8, relu), network('SiLU', 0.8, silu)] }),
      );
    assert.match(
      await page(0.669, 0.639),
      /No gain from smoothness in this run: under attack, ReLU is ahead of SiLU by 3\.0 points\./,
    );
    assert.doesNotMatch(await page(0.639, 0.669), /gain from smoothness/);
  });

  it('says in what runs differ, beside more than the activation, and then nothing of smoothness', async () => {
    const networks = [network('ReLU', 0.8, 0.669), network('SiLU', 0.8, 0.639)];
    const differences = [
      { what: 'model.activation', values: ['relu', 'silu'] },
      { what: 'epochs trained', values: ['13', '2'] },
    ];
    const read = pageText(
      await renderReport({ ...two, networks, differences, isOfActivation: false, gallery: [] }),
    );
    assert.match(read, /In what these runs differ ReLU SiLU model\.activation relu silu epochs trained 13 2/);
    assert.doesNotMatch(read, /gain from smoothness/);
    assert.doesNotMatch(pageText(await renderReport(two)), /In what these runs differ/);
  });

  it('stays below 1.5 MB with seven networks, 300 epochs, 100 long class names and large noisy photographs', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'A network with a name that is far longer than any other'];
    const noise = picture(3, 224, 200);
    for (let index = 0; index < noise.data.length; index++)
      noise.data[index] = ((index * 2_654_435_761) % 4096) / 4096;
    const classes = Array.from({ length: 100 }, (_, index) => `class ${index} ${'of many words '.repeat(5)}`);
    const page = await renderReport({
      ...two,
      threat: { norm: 'l2', epsilonText: '0.5', epsilon: 0.5 },
      data: { ...two.data, classes },
      networks: names.map((name) => network(name, 0.8, 0.6, 300)),
      gallery: Array.from({ length: 12 }, () => example(names, noise, noise)),
    });
    assert.ok(page.length < 1_500_000, `${page.length} characters`);
    assert.match(pageText(page), /\d+ more examples are omitted to keep this file small/);
    assert.match(pageText(page), /image may move by up to 0\.5 in L2 distance/);
    assert.ok(page.includes(classes[99]!));
  });

  it('escapes names inside figures too, and takes any text for ε', async () => {
    const odd = network('<i>β</i> & "co"', 0.8, 0.6);
    const curve = odd.curve.map((point, index) => ({ ...point, epsilonText: `${index}'"\\</svg>` }));
    const page = await renderReport({ ...two, networks: [{ ...odd, curve }], gallery: [] });
    assert.equal(occurrences(page, /<i>|<\/svg>/g), 5);
    const figures = [...page.matchAll(/<svg .*?<\/svg>/gs)].map(([svg]) => pageText(svg));
    assert.ok(figures.every((figure) => figure.includes('<i>β</i> & "co"')));
    assert.ok(figures.at(-1)?.includes(`2'"\\</svg>`));
  });

  it('shows what an evaluation warned of', async () => {
    const relu = network('ReLU', 0.8, 0.6);
    const flags = [{ code: 'square-beats-gradient', message: 'gradients <may> be masked' }];
    const page = await renderReport({
      ...two,
      networks: [{ ...relu, evaluation: { ...relu.evaluation, flags } }],
    });
    assert.match(page, /ReLU, square-beats-gradient:<\/strong> gradients &lt;may&gt; be masked/);
  });

  it('refuses no network, two of one name and pictures that are not of their shape', async () => {
    const refused = (input: ReportInput, sentence: RegExp) =>
      assert.rejects(
        renderReport(input),
        (error) => error instanceof InputError && sentence.test(error.message),
      );
    await refused({ ...two, networks: [] }, /Expected at least one network/);
    await refused(
      { ...two, networks: [two.networks[0]!, two.networks[0]!] },
      /different name for each network/,
    );
    const short = { ...picture(1, 28, 28), data: new Float32Array(3) };
    await refused(
      { ...two, gallery: [example(['ReLU'], short, short)] },
      /784 values \(1 x 28 x 28\) .* received 3/,
    );
    const four = picture(4, 2, 2);
    await refused({ ...two, gallery: [example(['ReLU'], four, four)] }, /1 or 3 channels .* received 4/);
    const image = picture(1, 28, 28);
    await refused(
      { ...two, gallery: [example(['ReLU'], image, picture(1, 2, 2))] },
      /784 values, as in its image/,
    );
  });
});

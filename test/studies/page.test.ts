/** From the runs of a study to its table, its sentences and its page. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answer } from '../../studies/answer.js';
import { differenceFigure } from '../../studies/figure.js';
import type { StudyRun } from '../../studies/jobs.js';
import { studyPage, unlikeThePaper, verdict } from '../../studies/page.js';
import type { RunRecord } from '../../studies/record.js';
import type { Study } from '../../studies/study.js';

const arm = (name: string, robust?: number) => ({
  name,
  change: (base: object) => base,
  against: name === 'relu' ? null : 'relu',
  ...(robust !== undefined && { paper: { clean: 60, robust } }),
});
const study: Study = {
  name: 'example',
  question: 'Which?',
  source: 'Table 0',
  reading: 'Read it.',
  arms: [arm('relu', 30), arm('better', 35), arm('worse', 36), arm('alike', 34), arm('unknown')],
};
const robust: Readonly<Record<string, readonly number[]>> = {
  relu: [0.3, 0.32, 0.31],
  better: [0.35, 0.371, 0.359],
  worse: [0.25, 0.271, 0.259],
  alike: [0.33, 0.3, 0.31],
  unknown: [0.3, 0.33, 0.3],
};
const runs: StudyRun[] = Object.entries(robust).flatMap(([arm, values]) =>
  values.map((robust, seed) => ({ arm, seed, record: recordOf(arm, robust, seed) })),
);

function recordOf(arm: string, robust: number, seed: number): RunRecord {
  const test = {
    examples: 1000,
    pixelsDigest: 'sha256:a',
    precision: 'float32' as const,
    clean: 0.6,
    robust,
    attacks: [
      { name: 'pgd-200-paper', robustAfter: robust + 0.01 },
      { name: 'apgd-ce', robustAfter: robust },
    ],
    flags: arm === 'worse' ? ['masked'] : [],
    seconds: 30,
  };
  return {
    recipe: {},
    note: 'a copy',
    commit: 'abc1234567',
    started: `2026-11-2${seed}T10:00:00.000Z`,
    device: 'a processor',
    engine: 'libtorch 1.13.0',
    seconds: 30,
    validation: { epoch: 1, clean: 0.6, robust: 0.3 },
    test,
    autoattack: arm === 'better' && seed === 0 ? { ...test, robust: 0.345 } : null,
  };
}

describe('the answer of a study', () => {
  it('pairs by the seed, whatever the order of the runs', () => {
    const rows = answer(study, [...runs].reverse());
    const { robust } = rows[1]!.difference!;
    assert.ok(Math.abs(robust.mean - 0.05) < 1e-12);
    // Differences of 0.05, 0.051 and 0.049: s = 0.001, t = 4.302652729749462.
    const half = (4.302652729749462 * 0.001) / Math.sqrt(3);
    assert.ok(Math.abs(robust.interval![1] - (0.05 + half)) < 1e-12);
    assert.ok(Math.abs(rows[0]!.robust - 0.31) < 1e-12);
    assert.equal(rows[0]!.difference, null);
  });

  it('pairs the seeds that both arms have, and gives an arm without a run no row', () => {
    const some = runs.filter(({ arm, seed }) => arm !== 'alike' && (arm !== 'better' || seed < 2));
    const rows = answer(study, some);
    assert.deepEqual(
      rows.map(({ arm, seeds, difference }) => [arm.name, seeds, difference?.robust.pairs]),
      [
        ['relu', 3, undefined],
        ['better', 2, 2],
        ['worse', 3, 3],
        ['unknown', 3, 3],
      ],
    );
    const alone = answer(
      study,
      runs.filter(({ arm }) => arm !== 'relu'),
    );
    assert.ok(alone.every(({ difference }) => difference === null));
    assert.match(verdict(alone)[0]!, /nothing is compared yet/);
  });

  it('refuses to pair runs that were measured on different images', () => {
    const [first, ...rest] = runs;
    const { record } = first!;
    const other = { ...first!, record: { ...record, test: { ...record.test!, pixelsDigest: 'sha256:b' } } };
    assert.throws(() => answer(study, [other, ...rest]), /measured on the same images/);
  });

  it('adjusts over all comparisons', () => {
    const rows = answer(study, runs);
    const { pValue, adjusted } = rows[1]!.difference!.robust;
    assert.ok(Math.abs(adjusted! - 4 * pValue!) < 1e-12, 'the smallest of four is multiplied by four');
  });

  it('says who is more robust, who less, and who is not told apart', () => {
    const sentences = verdict(answer(study, runs));
    assert.deepEqual(sentences, [
      'More robust, at 5 % over all comparisons: better (against relu).',
      'Less robust: worse (against relu).',
      'Not told apart in robust accuracy: alike (against relu) and unknown (against relu).',
    ]);
  });

  it('says what the paper saw and the runs do not show', () => {
    assert.deepEqual(unlikeThePaper(study, answer(study, runs)), [
      'worse against relu: +6.0 points of robust accuracy in the paper, here −5.0.',
      'alike against relu: +4.0 points of robust accuracy in the paper, here not told from none.',
    ]);
  });

  it('says nothing of chance with one seed', async () => {
    const rows = answer(
      study,
      runs.filter(({ seed }) => seed === 0),
    );
    assert.match(verdict(rows)[0]!, /One seed/);
    assert.equal(await differenceFigure(rows, 'light'), null);
  });
});

describe('the page of a study', () => {
  it('has the table, the paper beside it, flags and provenance', () => {
    const page = studyPage({
      study,
      rows: answer(study, runs),
      runs,
      missing: ['celu', 'elu'],
      choices: [],
      threat: { norm: 'linf', epsilon: 0.1, epsilonText: '0.1' },
      command: './satin study example',
      scale: 'small',
      figure: 'figure',
    });
    assert.match(
      page,
      /\| better \| 3 \| 60.0 % \| 36.0 % \| 34.5 % \| relu \| \+0.0 .* \| \+5.0 \(4.8 to 5.2\), p < 0.001, n = 3 \| 37.0 % \| 60\.0 % \| 35\.0 % \|/,
    );
    assert.match(page, /\| unknown \| 3 .* \| {2}\| {2}\|/);
    for (const part of [
      '- worse: masked',
      'Not run yet: celu and elu.',
      '`./satin study example`, commit abc1234, 2026-11-20 to 2026-11-22; small (data: a copy); a processor, libtorch 1.13.0; 0.3 hours',
      'the worst case of pgd-200-paper and apgd-ce on 1000 test images (L∞, ε = 0.1)',
    ])
      assert.ok(page.includes(part), part);
  });

  it('has a figure for light and one for dark mode', async () => {
    const [light, dark] = await Promise.all(
      (['light', 'dark'] as const).map((scheme) => differenceFigure(answer(study, runs), scheme)),
    );
    for (const name of ['better', 'worse', 'alike', 'unknown']) assert.ok(light!.includes(`${name} − relu`));
    assert.notEqual(light, dark);
  });
});

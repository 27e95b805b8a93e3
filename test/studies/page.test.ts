/** From the runs of a study to its table, its sentences and its page. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answer } from '../../studies/answer.js';
import { differenceFigure } from '../../studies/figure.js';
import { studyPage, unlikeThePaper, verdict } from '../../studies/page.js';
import type { StudyRun } from '../../studies/run-study.js';
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
  values.map((robust, seed) => ({
    arm,
    seed,
    clean: 0.6,
    robust,
    flags: arm === 'worse' ? ['masked'] : [],
    seconds: 60,
  })),
);

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
  const provenance = {
    command: './satin study example',
    commit: 'abc1234',
    date: '2026-11-27',
    device: 'a processor',
    engine: 'libtorch 1.13.0',
    scale: 'small',
    seeds: 3,
    examples: 1000,
    threat: 'L∞, ε = 0.1',
    hours: 0.25,
  };

  it('has the table, the paper beside it, flags and provenance', () => {
    const page = studyPage(study, answer(study, runs), { provenance, figure: 'figure' });
    assert.match(
      page,
      /\| better \| 60.0 % \| 36.0 % \| relu \| \+0.0 .* \| \+5.0 \(4.8 to 5.2\), p < 0.001 \| 60 % \| 35 % \|/,
    );
    assert.match(page, /\| unknown .* \| {2}\| {2}\|/);
    assert.match(page, /- worse: masked/);
    for (const fact of Object.values(provenance))
      assert.ok(page.includes(String(fact)) || fact === 0.25, String(fact));
    assert.match(page, /0\.3 hours/);
  });

  it('has a figure for light and one for dark mode', async () => {
    const [light, dark] = await Promise.all(
      (['light', 'dark'] as const).map((scheme) => differenceFigure(answer(study, runs), scheme)),
    );
    for (const name of ['better', 'worse', 'alike', 'unknown']) assert.ok(light!.includes(`${name} − relu`));
    assert.notEqual(light, dark);
  });
});

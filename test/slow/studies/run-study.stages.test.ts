/** A study whose arms choose a setting first, and one whose runs get AutoAttack later. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { readRecords } from '../../../studies/record.js';
import { type Study, withTraining } from '../../../studies/study.js';
import { makePage } from '../../../studies/write-study.js';
import { study, tinyStudy } from '../../support/tiny-study.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-study-'));
after(() => rmSync(folder, { recursive: true }));
const { common, scale, carryOut } = tinyStudy(folder);

it('each arm chooses its setting on validation images, and the same command is done', async () => {
  const tuned: Study = {
    ...study,
    tuning: {
      setting: 'learning rate',
      values: [0.001, 0.1],
      change: (learningRate) => (base) =>
        withTraining((training) => ({ ...training, schedule: { ...training.schedule, learningRate } }))(base),
      seed: 1000,
    },
  };
  const elsewhere = join(folder, 'tuned');
  const options = { study: tuned, folder: elsewhere, arms: ['silu'] };
  assert.deepEqual(await carryOut(options), ['silu', 'silu', 'silu']);
  assert.deepEqual(await carryOut(options), []);
  const records = readRecords(elsewhere).map(({ record }) => record);
  const tried = records.filter(({ test }) => test === null);
  const best = tried.reduce((best, each) => (each.validation.robust > best.validation.robust ? each : best));
  const measured = records.filter(({ test }) => test !== null);
  const rate = ({ recipe }: (typeof records)[number]) =>
    (recipe.training as { schedule: { learningRate: number } }).schedule.learningRate;
  assert.deepEqual([tried.length, measured.length], [2, 1]);
  assert.equal(rate(measured[0]!), rate(best));
  assert.match(
    makePage({ ...common, ...options, scale })!.text,
    /- silu: 0\.\d+ \(0\.001: .* %, 0\.1: .* %\)/,
  );
});

it('AutoAttack is added to a run that is finished', async () => {
  const options = {
    folder: join(folder, 'autoattack'),
    arms: ['silu'],
    examples: 2,
    attacks: ['pgd-2-paper'],
  };
  await carryOut(options);
  await carryOut({ ...options, autoattack: true });
  const [silu] = readRecords(options.folder);
  assert.deepEqual(
    silu!.record.autoattack!.attacks.map(({ name }) => name),
    ['apgd-ce', 'apgd-t', 'fab-t', 'square'],
  );
  assert.deepEqual(await carryOut({ ...options, autoattack: true }), []);
});

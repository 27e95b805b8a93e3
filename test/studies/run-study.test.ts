/** A study from its first run to its page: real processes, resumed, refused where the folder holds another study. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { trainRun } from '../../src/app/train/train-run.js';
import { InputError, InterruptedError, RunError } from '../../src/errors.js';
import { parseRecipe } from '../../src/recipe/recipe.js';
import { readEvents } from '../../src/runs/event-log.js';
import { studies } from '../../studies/catalogue.js';
import { readRecords } from '../../studies/record.js';
import { runStudy, type StudyOptions } from '../../studies/run-study.js';
import { armsOf, recipeOf } from '../../studies/setting.js';
import { type Study, withActivation, withTraining } from '../../studies/study.js';
import { makePage, writeStudy } from '../../studies/write-study.js';
import { tinyRecipe, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-study-'));
after(() => rmSync(folder, { recursive: true }));
writeTinyMnist(join(folder, 'mnist'));
const recipe = join(folder, 'recipe.yaml');
writeFileSync(recipe, JSON.stringify(tinyRecipe(join(folder, 'mnist'))));

const study: Study = {
  name: 'tiny',
  question: 'Does it run?',
  source: 'nowhere',
  reading: 'It runs.',
  arms: [
    { name: 'relu', change: withActivation('relu'), against: null },
    { name: 'again', change: withActivation('relu'), against: null },
    { name: 'silu', change: withActivation('silu'), against: 'relu' },
  ],
};
const out = join(folder, 'out');
const scale = { name: 'tiny', recipe, description: 'rows and columns' };
const common = {
  study,
  recipe,
  smoke: false,
  seeds: 1,
  examples: 16,
  attacks: ['pgd-2-paper', 'apgd-ce'],
  autoattack: false,
  precision: 'float32' as const,
  note: 'rows',
  folder: out,
  device: 'cpu',
  threads: 1,
  onPlan: () => {},
  onRun: () => {},
};
const never = new AbortController().signal;

/** Carries a study out; the arms of each run that was carried out. */
async function carryOut(options: Partial<StudyOptions> = {}): Promise<string[]> {
  const now: string[] = [];
  const onRun = ({ arms }: { readonly arms: readonly string[] }) => void now.push(arms.join(' '));
  await runStudy({ ...common, parallel: 2, signal: never, onRun, ...options });
  return now.sort();
}

it('a study stops, resumes, repeats nothing, and writes its page', async () => {
  const stop = new AbortController();
  const seen: string[] = [];
  const first = runStudy({
    ...common,
    parallel: 1,
    signal: stop.signal,
    onRun: ({ arms }) => {
      seen.push(...arms);
      stop.abort();
    },
  });
  await assert.rejects(first, InterruptedError);
  assert.deepEqual(seen, ['relu', 'again']);
  const [relu] = readRecords(out);
  const file = join(out, 'records', `${relu!.name}.json`);
  const before = statSync(file).mtimeMs;

  assert.deepEqual(await carryOut(), ['silu']);
  assert.equal(statSync(file).mtimeMs, before, 'what is finished is left as it is');
  const { page, rows } = (await writeStudy({ ...common, scale }))!;
  assert.deepEqual(
    rows.map(({ arm }) => arm.name),
    ['relu', 'again', 'silu'],
  );
  const text = readFileSync(page, 'utf8');
  assert.match(text, /# Study: tiny/);
  assert.match(text, /data: rows/);
  assert.equal(makePage({ ...common, scale })!.text, text, 'the page follows from the records');
  const silu = readRecords(out).find(({ name }) => name.startsWith('silu'))!;
  const result = JSON.parse(readFileSync(join(out, 'runs', silu.name, 'evaluation.json'), 'utf8'));
  assert.equal(silu.record.test!.robust, result.robust);
  assert.deepEqual(
    silu.record.test!.attacks.map(({ name }) => name),
    ['pgd-2-paper', 'apgd-ce'],
  );
  assert.ok(!JSON.stringify(readRecords(out)).includes(folder), 'no record names a place');
  const events = readEvents(join(out, 'runs', silu.name, 'run'));
  const last = events.find((event) => event.type === 'epoch' && event.epoch === silu.record.validation.epoch);
  assert.ok(
    last?.type === 'epoch' && Object.values(last.measurements).includes(silu.record.validation.robust),
  );
});

it('another study takes the runs that it shares, records alone are enough, and one arm can be asked for', async () => {
  const elsewhere = join(folder, 'restored');
  cpSync(join(out, 'records'), join(elsewhere, 'records'), { recursive: true });
  const other = {
    ...study,
    name: 'other',
    arms: [...study.arms, { name: 'elu', change: withActivation('elu'), against: 'relu' }],
  };
  assert.deepEqual(await carryOut({ study: other, folder: elsewhere, arms: ['silu'] }), []);
  assert.deepEqual(await carryOut({ study: other, folder: elsewhere }), ['elu']);
  await assert.rejects(carryOut({ study: other, arms: ['celu'] }), /arms of the study other .*celu/);
});

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

it('a study refuses records that were measured otherwise', async () => {
  await assert.rejects(
    carryOut({ examples: 8 }),
    (error) => error instanceof InputError && /16, float32, pgd-2-paper, apgd-ce/.test(error.message),
  );
});

it('an arm of every study trains; test/slow carries it out', async () => {
  const whole = tinyRecipe(join(folder, 'mnist'));
  const schedule = { ...whole.training.schedule, warmup: 0.25 };
  const base = parseRecipe({ ...whole, training: { ...whole.training, epochs: 1, schedule } }, 'the recipe');
  for (const each of studies) {
    const arm = armsOf(each, base).find(({ against }) => against !== null)!;
    const value = each.tuning?.values[0];
    const recipe = recipeOf(arm, base, { study: each, seed: 0, ...(value !== undefined && { value }) });
    const path = join(folder, 'trained', each.name);
    await trainRun({ recipe, path, resume: false, interrupted: () => false, onEvent: () => {} });
    assert.equal(readEvents(path).at(-1)?.type, 'end', each.name);
  }
});

it('a run that fails ends the study with its sentence and where its output is', async () => {
  const elsewhere = join(folder, 'gone.yaml');
  writeFileSync(elsewhere, JSON.stringify(tinyRecipe(join(folder, 'nothing'))));
  await assert.rejects(
    carryOut({ recipe: elsewhere, folder: join(folder, 'fails'), parallel: 1 }),
    (error) =>
      error instanceof RunError && /A run of the study failed: Expected .*log\.txt/.test(error.message),
  );
  assert.deepEqual(readRecords(join(folder, 'fails')), []);
});

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
import { runStudy } from '../../studies/run-study.js';
import { armsOf, recipeOf } from '../../studies/setting.js';
import { withActivation } from '../../studies/study.js';
import { makePage, writeStudy } from '../../studies/write-study.js';
import { tinyRecipe } from '../support/tiny-run.js';
import { study, tinyStudy } from '../support/tiny-study.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-study-'));
after(() => rmSync(folder, { recursive: true }));
const { common, scale, carryOut } = tinyStudy(folder);
const out = common.folder;

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

/** A study from its first run to its page: real processes, resumed, refused where the folder holds another study. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { InputError, InterruptedError, RunError } from '../../src/errors.js';
import { runStudy } from '../../studies/run-study.js';
import { type Study, withActivation } from '../../studies/study.js';
import { writeStudy } from '../../studies/write-study.js';
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
  folder: out,
  device: 'cpu',
  threads: 1,
};
const never = new AbortController().signal;

it('a study stops, resumes, repeats nothing, and writes its page', async () => {
  const stop = new AbortController();
  const seen: string[] = [];
  const first = runStudy({
    ...common,
    parallel: 1,
    signal: stop.signal,
    onRun: ({ arm }) => {
      seen.push(arm);
      stop.abort();
    },
  });
  await assert.rejects(first, InterruptedError);
  assert.deepEqual(seen, ['relu']);
  const weights = join(out, 'relu', '0', 'run', 'events.jsonl');
  const before = statSync(weights).mtimeMs;

  const now: string[] = [];
  const { page, rows } = await writeStudy({
    ...common,
    scale,
    parallel: 2,
    signal: never,
    onRun: ({ arm }, { isNew }) => void (isNew && now.push(arm)),
  });
  assert.deepEqual(now, ['silu']);
  assert.equal(statSync(weights).mtimeMs, before, 'what is finished is left as it is');
  assert.deepEqual(
    rows.map(({ arm }) => arm.name),
    ['relu', 'silu'],
  );
  assert.match(readFileSync(page, 'utf8'), /# Study: tiny/);
  const results = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
  assert.equal(results.runs.length, 2);
  const result = JSON.parse(readFileSync(join(out, 'silu', '0', 'result.json'), 'utf8'));
  assert.equal(results.runs[1].robust, result.robust);
  assert.deepEqual(
    result.attacks.map(({ name }: { name: string }) => name),
    ['apgd-ce', 'apgd-dlr'],
  );
});

it('a study refuses a folder of another one, and names what differs', async () => {
  const other = { ...study, arms: [{ ...study.arms[0]!, change: withActivation('elu') }, study.arms[1]!] };
  await assert.rejects(
    runStudy({ ...common, study: other, parallel: 1, signal: never, onRun: () => {} }),
    (error) => error instanceof InputError && /model\.activation = relu/.test(error.message),
  );
  await assert.rejects(
    runStudy({ ...common, examples: 8, parallel: 1, signal: never, onRun: () => {} }),
    (error) => error instanceof InputError && /16 examples/.test(error.message),
  );
});

it('a run that fails ends the study with its sentence and where its output is', async () => {
  const elsewhere = join(folder, 'gone.yaml');
  writeFileSync(elsewhere, JSON.stringify(tinyRecipe(join(folder, 'nothing'))));
  await assert.rejects(
    runStudy({
      ...common,
      recipe: elsewhere,
      folder: join(folder, 'fails'),
      parallel: 1,
      signal: never,
      onRun: () => {},
    }),
    (error) =>
      error instanceof RunError && /A run of the study failed: Expected .*log\.txt/.test(error.message),
  );
  assert.ok(!existsSync(join(folder, 'fails', 'relu', '0', 'result.json')));
});

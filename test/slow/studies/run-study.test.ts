/** Every study, carried out by its commands: one arm of each and the arm it is compared with, to the page. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { studies } from '../../../studies/catalogue.js';
import { runStudy } from '../../../studies/run-study.js';
import { armsOf, baseRecipe } from '../../../studies/setting.js';
import { makePage } from '../../../studies/write-study.js';
import { tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-studies-'));
after(() => rmSync(folder, { recursive: true }));
writeTinyMnist(join(folder, 'mnist'));
const recipe = join(folder, 'short.yaml');
const whole = tinyRecipe(join(folder, 'mnist'));
const schedule = { ...whole.training.schedule, warmup: 0.25 };
writeFileSync(recipe, JSON.stringify({ ...whole, training: { ...whole.training, epochs: 1, schedule } }));

const setting = { recipe, smoke: false };
const common = {
  ...setting,
  seeds: 1,
  examples: 16,
  attacks: ['pgd-2-paper'],
  autoattack: false,
  precision: 'float32' as const,
  note: 'rows',
  folder: join(folder, 'all'),
  device: 'cpu',
  threads: 1,
  parallel: 2,
  onPlan: () => {},
  onRun: () => {},
  signal: new AbortController().signal,
};

for (const each of studies)
  it(`${each.name} runs`, async () => {
    const compared = armsOf(each, baseRecipe(setting)).find(({ against }) => against !== null)!;
    const { tuning } = each;
    // One value is enough to see that it is chosen.
    const study = { ...each, ...(tuning && { tuning: { ...tuning, values: tuning.values.slice(0, 1) } }) };
    const options = { ...common, study, arms: [compared.name] };
    await runStudy(options);
    const scale = { name: 'tiny', recipe, description: 'rows and columns' };
    const { rows } = makePage({ ...options, scale })!;
    assert.ok(rows.some(({ arm }) => arm.name === compared.name));
  });

/** The runs of a sweep, their folders, and what a folder that was begun accepts. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { keepSweep, type PlanSweepOptions, planSweep, readSweep } from '../../../src/app/train/sweep.js';
import { InputError } from '../../../src/errors.js';
import { loadRecipe } from '../../../src/recipe/load-recipe.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-sweep-'));
after(() => rmSync(folder, { recursive: true }));
const name = 'fashion-mnist-silu';
const rates = 'training.schedule.learningRate=0.05,0.1';
const plan = (set: readonly string[], options: Partial<PlanSweepOptions> = {}) =>
  planSweep(name, { set, init: null, boards: [], ...options });

describe('the plan of a sweep', () => {
  it('is a run for each value, in a folder named after it, with the recipe that the value gives', () => {
    const sweep = plan([rates, 'model.activation=softplus(10),relu', 'training.seed=3'])!;
    assert.equal(sweep.path, `runs/${name}-sweep-learningRate-activation-3`);
    assert.deepEqual(
      sweep.runs.map((run) => run.name),
      [
        'learningRate=0.05,activation=softplus-10',
        'learningRate=0.05,activation=relu',
        'learningRate=0.1,activation=softplus-10',
        'learningRate=0.1,activation=relu',
      ],
    );
    const [, second] = sweep.runs;
    assert.equal(second!.path, join(sweep.path, second!.name));
    const set = ['training.schedule.learningRate=0.05', 'model.activation=relu', 'training.seed=3'];
    assert.deepEqual(second!.recipe, loadRecipe(name, { set }));
    const seeds = plan(['training.seed=0,1'], { out: 'elsewhere' })!;
    assert.deepEqual(
      seeds.runs.map((run) => run.path),
      ['elsewhere/seed=0', 'elsewhere/seed=1'],
    );
  });

  it('is none where no setting has a list, and says once what follows from a value', () => {
    assert.equal(plan(['training.epochs=3']), null);
    const notes: string[] = [];
    plan(['training.epochs=3', rates], { onNote: (note) => notes.push(note) });
    assert.ok(notes.length > 0 && new Set(notes).size === notes.length, notes.join('\n'));
  });

  it('refuses a value that is none, and two that are one', () => {
    assert.throws(() => plan(['model.activation=relu,sillu']), /Did you mean 'silu'/);
    assert.throws(() => plan(['training.batch=64,128,64.0']), /Expected each value once for `set` of/);
    assert.throws(() => plan(['threat.epsilon=8/255,8-255']), InputError);
  });
});

describe('the folder of a sweep', () => {
  const out = join(folder, 'rates');
  const sweep = plan([rates], { out })!;

  it('gives the sweep again, and is refused to a new one', () => {
    keepSweep(sweep, { resume: false });
    assert.deepEqual(readSweep(out), sweep);
    assert.throws(() => keepSweep(sweep, { resume: false }), /or `resume` to continue that sweep/);
    const taken = join(folder, 'taken');
    mkdirSync(join(taken, 'other'), { recursive: true });
    assert.throws(() => keepSweep({ ...sweep, path: taken }, { resume: false }), InputError);
  });

  it('may gain values, and refuses to lose one, other settings and other recipes', () => {
    const keep = (set: string[]) => keepSweep(plan(set, { out })!, { resume: true });
    keep([rates, 'device=cpu']);
    keep(['training.schedule.learningRate=0.2,0.05,0.1']);
    assert.equal(readSweep(out).runs.length, 3);
    assert.throws(() => keep([rates]), /Expected learningRate=0\.2, which it was begun with,/);
    assert.throws(() => keep(['training.batch=64,128']), /Expected its settings\.?\S*, /);
    const values = 'training.schedule.learningRate=0.05,0.1,0.2';
    assert.throws(() => keep([values, 'training.seed=7']), /Expected training\.seed = 0, as .*received 7/s);
  });

  it('is refused where it is damaged', () => {
    const file = join(out, 'sweep.json');
    const text = readFileSync(file, 'utf8');
    for (const damaged of [
      text.slice(0, 200),
      '[]',
      text.replace('"0.2"', '"0.2", "0.3"'),
      text.replace('"silu"', '"sillu"'),
    ]) {
      writeFileSync(file, damaged);
      assert.throws(() => readSweep(out), InputError);
    }
  });
});

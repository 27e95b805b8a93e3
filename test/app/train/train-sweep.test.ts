/** Runs of a sweep: each as if it were alone, over an interruption and a failure, and the order of the table. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { planSweep, type Sweep } from '../../../src/app/train/sweep.js';
import {
  ranked,
  type SweptResult,
  sweepReport,
  type TrainSweepOptions,
  trainSweep,
} from '../../../src/app/train/train-sweep.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { InterruptedError } from '../../../src/errors.js';
import { attempt } from '../../support/attempt.js';
import { outcome, tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-train-sweep-'));
after(() => rmSync(folder, { recursive: true }));
const recipe = join(folder, 'tiny.yaml');
writeTinyMnist(join(folder, 'mnist'));
const short = ['training.epochSteps=4', 'training.epochs=2', 'training.schedule.warmup=1'];
writeFileSync(recipe, JSON.stringify(tinyRecipe(join(folder, 'mnist'))));
setThreads(1);

const planned = (name: string, ...set: string[]): Sweep =>
  planSweep(recipe, { set: [...short, ...set], out: join(folder, name), init: null, boards: [] })!;
const train = (sweep: Sweep, options: Partial<TrainSweepOptions> = {}) =>
  trainSweep({
    sweep,
    interrupted: () => false,
    onProgress: () => {},
    onRun: () => () => {},
    onFailure: () => {},
    ...options,
  });

describe('the runs of a sweep', () => {
  const sweep = planned('rates', 'training.schedule.learningRate=0.1,1e30,0.05');

  it('go on after an interruption and past a failure, and are to the bit those of a run alone', async () => {
    let asked = 0;
    const places: string[] = [];
    const note: TrainSweepOptions['onRun'] = (run, { number, epochsAfter, history }) => {
      places.push(`${number} ${run.name} ${epochsAfter} ${history.length > 0}`);
      return () => {};
    };
    await assert.rejects(train(sweep, { interrupted: () => asked++ > 4, onRun: note }), InterruptedError);
    const failed: string[] = [];
    const results = await train(sweep, { onRun: note, onFailure: (run) => failed.push(run.name) });
    assert.deepEqual(places, [
      '1 learningRate=0.1 4 false',
      '1 learningRate=0.1 4 true',
      '2 learningRate=1e30 2 false',
      '3 learningRate=0.05 0 false',
    ]);
    assert.deepEqual(failed, ['learningRate=1e30']);
    assert.match(results[1]!.failure ?? '', /^The loss of step \d+ /);
    for (const index of [0, 2]) {
      const { run, best, failure } = results[index]!;
      assert.equal(failure, null);
      assert.ok(best !== null && best.robust !== null);
      const path = join(folder, `alone-${index}`);
      await attempt({ recipe: run.recipe, path });
      assert.deepEqual(outcome(run.path), outcome(path));
    }
    assert.notDeepEqual(outcome(results[0]!.run.path), outcome(results[2]!.run.path));
  });

  it('leave one report of those that ended, which says on what a value is chosen', async () => {
    const results = await train(sweep);
    const options = { sweep, device: 'cpu', interrupted: () => false, onProgress: () => {} };
    const path = await sweepReport({ ...options, results, examples: 8 });
    assert.equal(path, join(sweep.path, 'report.html'));
    const page = readFileSync(path!, 'utf8');
    assert.match(page, /differ in training\.schedule\.learningRate alone/);
    assert.match(page, /The best on validation images, by which a value is chosen, is learningRate=0/);
    assert.doesNotMatch(page, /1e30/);
    // A run that is trained after it makes it old.
    await train(planned('rates', 'training.schedule.learningRate=0.1,1e30,0.05,0.2'));
    assert.equal(existsSync(path!), false);
    const other = planned('epsilon', 'threat.epsilon=0.1,0.2');
    assert.equal(await sweepReport({ ...options, sweep: other, results: await train(other) }), null);
  });
});

describe('the order of the runs', () => {
  const sweep = planned('order', 'training.batch=16,8,32');
  const results = (...best: SweptResult['best'][]): SweptResult[] =>
    best.map((best, index) => ({ run: sweep.runs[index]!, best, failure: null }));
  const order = (sweep: Sweep, ...best: SweptResult['best'][]) =>
    ranked(sweep, results(...best)).map(({ run }) => run.values[0]);
  const best = (robust: number, clean: number, chosenBy: 'clean' | 'robust' = 'robust') => ({
    epoch: 1,
    robust,
    clean,
    chosenBy,
  });

  it('is by robust accuracy, then clean accuracy, and without a measurement last', () => {
    assert.deepEqual(order(sweep, null, best(0.3, 0.9), best(0.4, 0.5)), ['32', '8', '16']);
    assert.deepEqual(order(sweep, best(0.3, 0.5), best(0.3, 0.6), best(0.1, 1)), ['8', '16', '32']);
  });

  it('is by clean accuracy where that chose the epochs of all', () => {
    const clean = [best(0.2, 0.5, 'clean'), best(0, 0.9, 'clean')];
    assert.deepEqual(order(sweep, ...clean), ['8', '16']);
    assert.deepEqual(order(sweep, ...clean, best(0.1, 0.1)), ['16', '32', '8']);
  });

  it('is their own where they were validated differently', () => {
    for (const setting of ['threat.epsilon', 'validation.attack', 'data.validationSeed'])
      assert.deepEqual(order({ ...sweep, settings: [setting] }, best(0.1, 0.1), best(0.5, 0.5)), ['16', '8']);
  });
});

/** Every option of the trainer over an interruption: the average, Adam, parts, clipping, the guard, Free's noise. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { buildExperiment } from '../../src/app/train/build-experiment.js';
import { loadTrainingData } from '../../src/app/train/training-data.js';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { InputError } from '../../src/errors.js';
import { readCheckpoint } from '../../src/runs/checkpoint.js';
import { readEvents } from '../../src/runs/event-log.js';
import { attempt } from '../support/attempt.js';
import { outcome, tinyTraining, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-resume-options-'));
after(() => rmSync(folder, { recursive: true }));
const data = join(folder, 'mnist');
writeTinyMnist(data);
setThreads(1);

describe('a run with an average, Adam, parts, clipping and a guard', () => {
  const options = {
    // A short step: the network must learn something soon, or the guard keeps nothing.
    attack: { steps: 1, stepSize: 0.005, randomStart: false },
    optimizer: { name: 'adamw' },
    schedule: { name: 'one-cycle', learningRate: 0.02, warmup: 1 },
    accumulate: 2,
    clipNorm: 0.1,
    ema: { decay: 0.9, batchNorm: 'average' },
    guard: { every: 3, examples: 128 },
  };
  const recipe = tinyTraining(data, options);
  const alone = join(folder, 'options-alone');
  const stateOf = (path: string) => readCheckpoint({ path, names: ['last'] });

  it('ends with the bits of the run that was left alone, wherever it stopped, and lets go of every tensor', async () => {
    const before = memoryInfo().liveTensors;
    const { asked } = await attempt({ recipe, path: alone });
    assert.equal(memoryInfo().liveTensors, before);
    const expected = {
      ...outcome(alone),
      healthy: readCheckpoint({ path: alone, names: ['healthy'] }).weights,
    };
    for (const stopAfter of [2, 8, 10, asked - 2]) {
      const path = join(folder, `options-${stopAfter}`);
      assert.equal((await attempt({ recipe, path, stopAfter })).finished, false, `stop ${stopAfter}`);
      assert.equal((await attempt({ recipe, path, resume: true })).finished, true);
      const healthy = readCheckpoint({ path, names: ['healthy'] }).weights;
      assert.deepEqual({ ...outcome(path), healthy }, expected, `stop ${stopAfter}`);
    }
  });

  it('keeps the averaged weights, and the live ones beside the optimiser', () => {
    const { weights, progress } = stateOf(alone);
    const kept = new Map((progress?.optimizer ?? []).map((array) => [array.name, array]));
    assert.equal(Buffer.from(kept.get('step')!.bytes).readBigInt64LE(), 24n);
    for (const { name, shape, bytes } of weights) {
      const live = kept.get(`live.${name}`);
      assert.deepEqual(live?.shape, shape, name);
      // What counts batches is copied: twice a step, once for each part.
      if (name.endsWith('num_batches_tracked')) assert.equal(Buffer.from(bytes).readBigInt64LE(), 48n);
      else assert.notDeepEqual(live?.bytes, bytes, name);
    }
    const names = [...kept.keys()].filter((name) => !name.startsWith('live.'));
    assert.ok(names.every((name) => name === 'step' || /\.(mean|square)$/.test(name)));
    for (const name of ['best', 'healthy'] as const)
      assert.equal(readCheckpoint({ path: alone, names: [name] }).progress?.optimizer, null);
  });

  it('measures the average: what validation found is what the kept weights do', async () => {
    const { measurements } = readEvents(alone)
      .filter((event) => event.type === 'epoch')
      .at(-1)!;
    const experiment = buildExperiment(recipe, await loadTrainingData(recipe), {
      device: 'cpu',
      init: stateOf(alone),
      interrupted: () => false,
    });
    const found: Record<string, number> = {};
    for await (const [name, value] of experiment.evaluate()) found[name] = value;
    assert.equal(Object.keys(found).length, 2);
    for (const [name, value] of Object.entries(found)) assert.equal(measurements[name], value, name);
  });

  it('differs from a run that lacks any of them', async () => {
    const digest = stateOf(alone).weightsDigest;
    const others = { optimizer: { name: 'adam' }, accumulate: 1, clipNorm: null, ema: null };
    for (const [key, value] of Object.entries(others)) {
      const path = join(folder, `options-without-${key}`);
      await attempt({ recipe: tinyTraining(data, { ...options, [key]: value }), path });
      assert.notEqual(stateOf(path).weightsDigest, digest, key);
    }
    const path = join(folder, 'options-without-guard');
    await attempt({ recipe: tinyTraining(data, { ...options, guard: null }), path });
    assert.equal(stateOf(path).weightsDigest, digest, 'the guard only looks');
    assert.throws(() => readCheckpoint({ path, names: ['healthy'] }), InputError);
  });
});

describe('a run of the paper’s objective in groups', () => {
  it('goes on with their clean starts and statistics, to the bit', async () => {
    const recipe = tinyTraining(data, {
      objective: 'sat',
      attack: { cleanStart: 0.5 },
      batchNorm: { ghost: 4 },
      ema: { decay: 0.9, batchNorm: 'average' },
    });
    const [whole, parts] = [join(folder, 'groups-whole'), join(folder, 'groups-parts')];
    await attempt({ recipe, path: whole });
    for (const stopAfter of [3, 11]) await attempt({ recipe, path: parts, resume: true, stopAfter });
    await attempt({ recipe, path: parts, resume: true });
    assert.deepEqual(outcome(parts), outcome(whole));
  });
});

describe('a run of Free adversarial training', () => {
  const recipe = tinyTraining(data, { objective: 'free', attack: { replays: 2 }, guard: null });

  it('goes on with the noise it had, to the bit', async () => {
    const [whole, parts] = [join(folder, 'free-whole'), join(folder, 'free-parts')];
    const { asked } = await attempt({ recipe, path: whole });
    assert.ok(asked > 40, `asked ${asked} times`);
    const names = readCheckpoint({ path: whole, names: ['last'] }).progress?.optimizer?.map(
      ({ name }) => name,
    );
    assert.ok(names?.includes('objective.noise'), `${names}`);
    // Between the two steps on one batch, and elsewhere.
    for (const stopAfter of [2, 7]) await attempt({ recipe, path: parts, resume: true, stopAfter });
    await attempt({ recipe, path: parts, resume: true });
    assert.deepEqual(outcome(parts), outcome(whole));
  });
});

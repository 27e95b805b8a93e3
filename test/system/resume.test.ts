import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { buildExperiment } from '../../src/app/train/build-experiment.js';
import { trainRun } from '../../src/app/train/train-run.js';
import { loadTrainingData } from '../../src/app/train/training-data.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { InputError, RunError } from '../../src/errors.js';
import { Model } from '../../src/models/model.js';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../src/runs/checkpoint.js';
import { readEvents } from '../../src/runs/event-log.js';
import type { RunEvent } from '../../src/runs/events.js';
import { toArrays } from '../../src/weights/module-weights.js';
import { attempt } from '../support/attempt.js';
import { outcome, tinyTraining, writeTinyMnist } from '../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-resume-'));
after(() => rmSync(folder, { recursive: true }));
const data = join(folder, 'mnist');
writeTinyMnist(data);
setThreads(1);

describe('a run that is interrupted and resumed', () => {
  const recipe = tinyTraining(data);
  const alone = join(folder, 'alone');

  it('ends with the weights, optimiser and events of the run that was left alone, wherever it stopped', async () => {
    const { asked } = await attempt({ recipe, path: alone });
    const expected = outcome(alone);
    assert.equal(expected.last.progress?.step, 24);
    assert.ok(expected.events.length >= 24 + 3 + 2, 'every step and epoch is in the log');
    // In the first step, mid-epoch, in the validation, just after an epoch, in the last validation.
    for (const stopAfter of [0, 3, 8, 9, 10, 11, asked - 2]) {
      const path = join(folder, `stopped-${stopAfter}`);
      assert.equal((await attempt({ recipe, path, stopAfter })).finished, false, `stop ${stopAfter}`);
      assert.equal((await attempt({ recipe, path, resume: true })).finished, true);
      assert.deepEqual(outcome(path), expected, `stop ${stopAfter}`);
      const told = checkpoints(path);
      assert.deepEqual([...new Set(told)], told, `stop ${stopAfter}: each once`);
      assert.ok(
        checkpoints(alone).every((each) => told.includes(each)),
        `stop ${stopAfter}: none is missing`,
      );
    }
  });

  it('may stop again and again, with checkpoints within the epochs too', async () => {
    const often = tinyTraining(data, { checkpointEvery: 3 });
    const path = join(folder, 'often');
    let attempts = 0;
    for (let finished = false; !finished; attempts++)
      ({ finished } = await attempt({ recipe: often, path, resume: true, stopAfter: 5 + (attempts % 3) }));
    assert.ok(attempts > 3, `${attempts} attempts`);
    assert.deepEqual(outcome(path), outcome(alone));
  });

  it('records an epoch once, although it was killed between the epoch and its checkpoint', async () => {
    const path = join(folder, 'epoch-twice');
    await attempt({ recipe, path, stopAfter: 8 });
    assert.equal(readCheckpoint({ path }).progress?.step, 8, 'stopped in the first validation');
    const killed = (event: RunEvent) => {
      if (event.type === 'epoch') throw new Error('killed');
    };
    const interrupted = () => false;
    await assert.rejects(trainRun({ recipe, path, resume: true, interrupted, onEvent: killed }), /killed/);
    assert.equal(readEvents(path).at(-1)?.type, 'epoch');
    await attempt({ recipe, path, resume: true });
    assert.deepEqual(outcome(path), outcome(alone));
  });

  it('that had ended stays as it is, to the byte', async () => {
    const files = () => readdirSync(alone, { recursive: true, encoding: 'utf8' }).sort();
    const content = () =>
      files().map((name) => (statSync(join(alone, name)).isFile() ? digestOfFile(join(alone, name)) : name));
    const before = [files(), content()];
    await attempt({ recipe, path: alone, resume: true });
    assert.deepEqual([files(), content()], before);
  });

  it('tells of a checkpoint whose event was lost when the process was killed after writing it', async () => {
    const path = join(folder, 'event-lost');
    await attempt({ recipe, path, stopAfter: 8 });
    const log = join(path, 'events.jsonl');
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    assert.match(lines.at(-1)!, /"checkpoint"/);
    writeFileSync(log, `${lines.slice(0, -1).join('\n')}\n`);
    await attempt({ recipe, path, resume: true });
    const told = checkpoints(path);
    assert.deepEqual([...new Set(told)], told);
    assert.ok(checkpoints(alone).every((each) => told.includes(each)));
  });

  it('is refused with another recipe, and without --resume', async () => {
    const other = tinyTraining(data, { seed: 1 });
    await assert.rejects(
      attempt({ recipe: other, path: alone, resume: true }),
      /training\.seed is 1 and was 0/,
    );
    await assert.rejects(attempt({ recipe, path: alone }), InputError);
  });

  it('is refused in a sentence where another version left a state that this one does not know', async () => {
    const path = join(folder, 'older');
    await attempt({ recipe, path, stopAfter: 3 });
    const { model, weights, progress } = readCheckpoint({ path, names: ['last'] });
    assert.ok(progress !== null && progress.optimizer !== null);
    const { watched: _, ...older } = progress.state as Record<string, unknown>;
    const { optimizer } = progress;
    writeCheckpoint({ run: path, name: 'last', step: 4, model, weights, optimizer, state: older });
    await assert.rejects(attempt({ recipe, path, resume: true }), (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, /watched/);
      return true;
    });
  });

  it('draws other numbers with another seed', async () => {
    const path = join(folder, 'other-seed');
    await attempt({ recipe: tinyTraining(data, { seed: 1 }), path });
    assert.notEqual(outcome(path).last.weightsDigest, outcome(alone).last.weightsDigest);
  });
});

/** `last 8`: the checkpoints that the events tell of. */
function checkpoints(run: string): string[] {
  return readEvents(run).flatMap((event) =>
    event.type === 'checkpoint' ? [`${event.file} ${event.step}`] : [],
  );
}

function digestOfFile(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

describe('epochs that are a part of a pass over the data', () => {
  const schedule = { name: 'constant', learningRate: 0.05 };

  it('measure more often and change no weight, resumed in the middle of a pass too', async () => {
    const whole = join(folder, 'whole-passes');
    await attempt({ recipe: tinyTraining(data, { schedule }), path: whole }); // 3 epochs of 8 steps
    const recipe = tinyTraining(data, { schedule, epochs: 4, epochSteps: 6 });
    const parts = join(folder, 'parts');
    assert.equal((await attempt({ recipe, path: parts, stopAfter: 10 })).finished, false);
    await attempt({ recipe, path: parts, resume: true });
    assert.deepEqual(outcome(parts).last.weights, outcome(whole).last.weights);
    const measured = readEvents(parts).flatMap((event) => (event.type === 'epoch' ? [event.step] : []));
    assert.deepEqual(measured, [6, 12, 18, 24]);
  });
});

describe('a run that starts from other weights', () => {
  const recipe = tinyTraining(data);
  const interrupted = () => false;

  /** A model with other weights, as `--init` reads it. */
  function modelWith(description: {
    classes: readonly string[];
    width?: number;
    channels?: number;
  }): Checkpoint {
    const { classes, width = 0.25, channels = 1 } = description;
    const shape = [channels, 8, 8] as const;
    using model = Model.create(
      { architecture: 'resnet8', width, activation: 'relu', classes, shape, normalise: null },
      { seed: 7 },
    );
    const weights = toArrays(model.network.state());
    return {
      satin: '0',
      model: {
        architecture: 'resnet8',
        width,
        activation: 'relu',
        classes: [...classes],
        shape: [...shape],
        normalise: null,
      },
      weights,
      weightsDigest: '',
      weightsFile: 'init.safetensors',
      progress: null,
    };
  }

  async function starts(init?: Checkpoint, newHead = false) {
    const experiment = buildExperiment(recipe, await loadTrainingData(recipe), {
      device: 'cpu',
      init,
      newHead,
      interrupted,
    });
    return toArrays(experiment.model.network.state());
  }

  const isHead = ({ name }: { readonly name: string }) => name.startsWith('linear.');
  const digits = Array.from({ length: 10 }, (_, digit) => String(digit));

  it('has all of them where the classes are the same', async () => {
    const init = modelWith({ classes: digits });
    assert.deepEqual(await starts(init), init.weights);
    assert.notDeepEqual(await starts(), init.weights);
  });

  it('has a fresh head where that is asked for, and is refused where the classes are others and it is not', async () => {
    const fresh = (await starts()).filter(isHead);
    assert.equal(fresh.length, 2);
    for (const classes of [['cat', 'dog', 'owl'], [...digits].reverse()]) {
      const init = modelWith({ classes });
      await assert.rejects(
        starts(init),
        /for `init` but received '.*Set `newHead` to initialise the last layer afresh/,
      );
      const begun = await starts(init, true);
      assert.deepEqual(begun.filter(isHead), fresh);
      assert.deepEqual(
        begun.filter((array) => !isHead(array)),
        init.weights.filter((array) => !isHead(array)),
      );
    }
  });

  it('is refused where the networks differ', async () => {
    const refusals = [
      [modelWith({ classes: digits, width: 0.5 }), /resnet8 of width 0\.25 for `init` but .* width 0\.5/],
      [
        modelWith({ classes: digits, channels: 3 }),
        /one is of another shape \(conv1\.weight has shape \[\d+, 3, 3, 3\] instead of \[\d+, 1, 3, 3\]\)/,
      ],
    ] as const;
    for (const [init, message] of refusals)
      await assert.rejects(starts(init), (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message);
        return true;
      });
  });

  it('goes on to the bit after an interruption, without being given them again', async () => {
    const init = modelWith({ classes: digits });
    const [whole, parts] = [join(folder, 'init-whole'), join(folder, 'init-parts')];
    await attempt({ recipe, path: whole, init });
    await attempt({ recipe, path: parts, init, stopAfter: 5 });
    await attempt({ recipe, path: parts, resume: true });
    assert.deepEqual(outcome(parts), outcome(whole));
  });
});

describe('a run whose loss is no number any more', () => {
  for (const checkpointEvery of [null, 1])
    it(`stops, names the step, and keeps the checkpoint from before (every ${checkpointEvery ?? 'epoch'})`, async () => {
      const path = join(folder, `diverges-${checkpointEvery}`);
      const schedule = { name: 'constant', learningRate: 1e25 };
      const recipe = tinyTraining(data, { schedule, checkpointEvery });
      await assert.rejects(attempt({ recipe, path }), (error) => {
        assert.ok(error instanceof RunError, String(error));
        assert.equal(error.code, 'non-finite');
        assert.match(error.message, /step \d+.* learning rate/);
        return true;
      });
      const failed = readEvents(path).at(-1);
      assert.equal(failed?.type, 'failed');
      assert.match(failed.message, /step \d+/);
      const { weights, progress } = readCheckpoint({ path, names: ['last'] });
      assert.ok(progress !== null && progress.step <= failed.step);
      for (const { name, dtype, bytes } of weights)
        if (dtype === 'F32')
          assert.ok(new Float32Array(bytes.slice().buffer).every(Number.isFinite), `${name} is finite`);
    });
});

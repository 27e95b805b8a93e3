/**
 * Everything that runs a model, on a device that is not the CPU: the mock device, which refuses operators between devices as
 * a graphics card does.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { attackImages } from '../../src/app/attack/attack-images.js';
import { evaluateRun } from '../../src/app/evaluate/evaluate-run.js';
import { verifyRun } from '../../src/app/evaluate/verify-run.js';
import { checkpointModel } from '../../src/app/model/checkpoint-model.js';
import { openModel } from '../../src/app/model/open-model.js';
import { predict } from '../../src/app/predict.js';
import { chooseGallery } from '../../src/app/report/choose-gallery.js';
import { trainRun } from '../../src/app/train/train-run.js';
import { subset } from '../../src/data/dataset.js';
import { loadDataset } from '../../src/data/load-dataset.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { InterruptedError } from '../../src/errors.js';
import { newEvaluationFolder } from '../../src/evaluation/folder/new-folder.js';
import { exportTorchScript } from '../../src/models/torchscript-export.js';
import { parseRecipe, type Recipe } from '../../src/recipe/recipe.js';
import { readCheckpoint } from '../../src/runs/checkpoint.js';
import { readEvents } from '../../src/runs/event-log.js';
import { readManifest } from '../../src/runs/run-folder.js';
import { outcome, tinyRecipe, tinyTraining, writeTinyMnist } from '../support/tiny-run.js';

process.env.SATIN_MOCK_DEVICE = '1';
setThreads(1);

const folder = mkdtempSync(join(tmpdir(), 'satin-devices-'));
after(() => rmSync(folder, { recursive: true }));
const place = (name: string) => join(folder, name);
const mnist = place('mnist');
writeTinyMnist(mnist);

const train = (recipe: Recipe, name: string, device: string, stopAfter = Number.POSITIVE_INFINITY) => {
  let asked = 0;
  const interrupted = () => asked++ >= stopAfter;
  return trainRun({ recipe, path: place(name), resume: true, device, interrupted, onEvent: () => {} });
};

/** The largest difference of two runs' last weights, relative to the largest weight of its tensor. */
function apart(one: string, other: string): number {
  const numbers = (name: string) =>
    readCheckpoint({ path: place(name), names: ['last'] }).weights.flatMap(({ name, dtype, bytes }) =>
      dtype === 'F32' ? [[name, new Float32Array(bytes.slice().buffer)] as const] : [],
    );
  const second = new Map(numbers(other));
  return Math.max(
    ...numbers(one).map(([name, values]) => {
      const largest = Math.max(...values.map(Math.abs), 1e-6);
      return Math.max(...values.map((value, at) => Math.abs(value - second.get(name)![at]!))) / largest;
    }),
  );
}

const short = { epochs: 1, epochSteps: 4, schedule: { name: 'constant', learningRate: 0.02 } } as const;
const objectives: Readonly<Record<string, object>> = {
  clean: { objective: 'clean', clipNorm: 1, accumulate: 2 },
  pgd: { objective: 'pgd', attack: { steps: 2 }, ema: { decay: 0.9 }, awp: { gamma: 0.01 } },
  fast: { objective: 'fast', gradAlign: { weight: 0.2 } },
  free: { objective: 'free', attack: { replays: 2 } },
  sat: { objective: 'sat', attack: { steps: 2, batchNorm: 'train' }, optimizer: { name: 'adamw' } },
  trades: { objective: 'trades', attack: { steps: 2 } },
  mart: { objective: 'mart', attack: { steps: 2 } },
};

describe('training on another device', () => {
  for (const [name, settings] of Object.entries(objectives))
    it(`takes the steps of the CPU: ${name}`, async () => {
      const { training: usual, ...rest } = tinyRecipe(mnist);
      const { attack: _, ...training } = { ...usual, ...short };
      const recipe = parseRecipe({ ...rest, training: { ...training, ...settings } }, 'the recipe');
      for (const device of ['cpu', 'mock']) await train(recipe, `${name}-${device}`, device);
      const difference = apart(`${name}-cpu`, `${name}-mock`);
      assert.ok(difference < 1e-4, `off by ${difference}`);
      assert.equal(readManifest(place(`${name}-mock`)).device, 'mock');
    });

  it('resumes to the bit', async () => {
    const recipe = tinyTraining(mnist, { ...short, epochSteps: 6, checkpointEvery: 2 });
    await train(recipe, 'whole', 'mock');
    await assert.rejects(train(recipe, 'cut', 'mock', 3), InterruptedError);
    await train(recipe, 'cut', 'mock');
    assert.deepEqual(outcome(place('cut')), outcome(place('whole')));
  });

  it('says where a run continues on another one', async () => {
    const recipe = tinyTraining(mnist, { ...short, checkpointEvery: 2 });
    await assert.rejects(train(recipe, 'moved', 'cpu', 2), InterruptedError);
    await train(recipe, 'moved', 'mock');
    const warnings = readEvents(place('moved')).flatMap((event) => (event.type === 'warning' ? [event] : []));
    assert.match(
      warnings[0]!.message,
      /^This run began on cpu and continues on mock, which rounds differently/,
    );
  });
});

describe('a model on another device', async () => {
  const recipe = tinyTraining(mnist);
  await train(recipe, 'trained', 'cpu');
  const checkpoint = readCheckpoint({ path: place('trained') });
  const data = await loadDataset({ name: 'mnist', dir: mnist, split: 'test' });
  const attacks = ['fgsm', 'pgd-4', 'apgd-ce', 'apgd-t-1', 'fab-1'] as const;
  const evaluated = async (device: string, options: { kept?: string; path?: string } = {}) => {
    const { kept, path } = options;
    using model = openModel(path ?? place('trained'), { device });
    const run = await evaluateRun({
      model,
      data,
      attacks: (kept ?? path) === undefined ? attacks : ['pgd-4'],
      norm: 'linf',
      epsilon: { epsilon: 0.08, epsilonText: '0.08' },
      seed: 0,
      batch: 40,
      interrupted: () => false,
      ...(kept !== undefined && { folder: newEvaluationFolder(place(kept)) }),
    });
    const gallery = chooseGallery({ networks: [{ name: 'one', model, measured: run }], data, count: 3 });
    return { ...run, gallery };
  };

  it('gets the verdicts of the CPU, with the device beside them', async () => {
    const [cpu, mock] = [await evaluated('cpu'), await evaluated('mock')];
    assert.deepEqual(mock.result.perExample, cpu.result.perExample);
    assert.deepEqual([cpu.result.engine.device, mock.result.engine.device], ['cpu', 'mock']);
    assert.deepEqual(mock.result.precision, { search: 'float32', verdict: 'float32' });
    assert.deepEqual([cpu.result.search, mock.result.search], ['execution plan', 'operators']);
    assert.deepEqual(
      mock.result.attacks.map(({ name, broken }) => [name, broken]),
      cpu.result.attacks.map(({ name, broken }) => [name, broken]),
    );
    assert.deepEqual(
      mock.gallery.map(({ id, networks }) => [id, networks[0]!.attacked.class]),
      cpu.gallery.map(({ id, networks }) => [id, networks[0]!.attacked.class]),
    );
  });

  it('raises the flags of the CPU', async () => {
    const flagsOn = async (device: string) => {
      using model = openModel(place('trained'), { device });
      const { result } = await evaluateRun({
        model,
        data: subset(data, [0, 1, 2, 3, 4, 5, 6, 7]),
        attacks: ['fgsm'],
        norm: 'linf',
        epsilon: { epsilon: 0.08, epsilonText: '0.08' },
        seed: 0,
        batch: 8,
        checks: 'full',
        interrupted: () => false,
      });
      return result.flags;
    };
    assert.deepEqual(
      (await flagsOn('mock')).map(({ code }) => code),
      (await flagsOn('cpu')).map(({ code }) => code),
    );
  });

  it('is measured as a TorchScript file too', async () => {
    using model = checkpointModel(checkpoint);
    exportTorchScript(model, place('traced.pt'));
    const [cpu, mock] = [
      await evaluated('cpu', { path: place('traced.pt') }),
      await evaluated('mock', { path: place('traced.pt') }),
    ];
    assert.deepEqual(mock.result.perExample, cpu.result.perExample);
  });

  it('verifies what was found, wherever it was found', async () => {
    await evaluated('mock', { kept: 'kept' });
    for (const device of ['cpu', 'mock']) {
      const { failed, images, device: said } = verifyRun({ folder: place('kept'), device });
      assert.ok(images > 0);
      assert.deepEqual([failed, said], [[], device]);
    }
  });

  it('does not go on with an evaluation of the CPU', async () => {
    await evaluated('cpu', { kept: 'of-the-cpu' });
    const { storedEvaluationFolder } = await import('../../src/evaluation/folder/resume-folder.js');
    using model = openModel(place('trained'), { device: 'mock' });
    await assert.rejects(
      evaluateRun({
        model,
        data,
        attacks: ['pgd-4'],
        norm: 'linf',
        epsilon: { epsilon: 0.08, epsilonText: '0.08' },
        seed: 0,
        folder: storedEvaluationFolder(place('of-the-cpu')),
        interrupted: () => false,
      }),
      /Expected cpu, on which .* was begun, for `device` but received 'mock'/,
    );
  });

  it('predicts, and attacks a user’s images', async () => {
    const images = data.images.subarray(0, 8 * 64);
    const of = async (device: string) => {
      using model = openModel(place('trained'), { device });
      using plain = checkpointModel(checkpoint, device);
      const attacked = await attackImages({
        model,
        images,
        shape: data.shape,
        classes: data.classes,
        label: null,
        attack: 'pgd-4',
        norm: 'l2',
        epsilon: { epsilon: 1, epsilonText: '1' },
        seed: 0,
        interrupted: () => false,
      });
      return [
        predict(plain, { images, shape: data.shape, classes: data.classes }).map(([best]) => best!.class),
        attacked.map(({ outcome, after }) => [outcome, after.label]),
      ];
    };
    assert.deepEqual(await of('mock'), await of('cpu'));
  });
});

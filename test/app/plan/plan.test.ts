/** What a plan says of a recipe: passes, memory and time, by data sheet and on this machine. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { devices, reached } from '../../../src/app/plan/devices.js';
import { plan } from '../../../src/app/plan/plan.js';
import { measureStep } from '../../../src/app/plan/step-time.js';
import { devicesOfTable, planCommand } from '../../../src/cli/commands/plan.js';
import { InputError } from '../../../src/errors.js';
import { Model } from '../../../src/models/model.js';
import { loadRecipe } from '../../../src/recipe/load-recipe.js';

const recipe = (name: string, ...set: string[]) => loadRecipe(name, { set });

describe('a plan by data sheet', () => {
  it('is the arithmetic of all passes over the rate that is reached, where memory is no bound', async () => {
    const wide = recipe('cifar10-resnet18-pang', 'model.width=8');
    const { perImage, batch, macs, steps, stepSeconds, hours, basis } = await plan(wide, { device: 'v100' });
    const products = perImage.forward + 2 * perImage.attack + 3 * perImage.update;
    const arithmetic =
      (2 * macs * products * batch) / (devices.v100.rates.float32! * reached.arithmetic.float32);
    assert.ok(stepSeconds > arithmetic && stepSeconds < 1.1 * arithmetic, `${stepSeconds}, ${arithmetic}`);
    assert.equal(hours.training, (steps * stepSeconds) / 3600);
    assert.equal(basis, 'data sheet');
  });

  it('has the speed that NVIDIA publishes for the training of a ResNet-50 with PyTorch', async () => {
    const clean = (device: 'a100' | 'v100', precision: string) =>
      plan(recipe('imagenet-resnet50-relu', 'training.attack.steps=1', `training.precision=${precision}`), {
        device,
        count: 8,
      });
    for (const [device, precision, published] of [
      ['a100', 'tf32', 938],
      ['v100', 'float32', 367],
    ] as const) {
      const { imagesPerSecond } = await clean(device, precision);
      // A step of the attack is two thirds of an update.
      const update = (imagesPerSecond / 8) * (5 / 3);
      assert.ok(Math.abs(update / published - 1) < 0.1, `${device}: ${update}`);
    }
  });

  it('shares a batch among devices, with what each keeps of it', async () => {
    const one = await plan(recipe('cifar10-resnet18-pang'), { device: 'a100' });
    const four = await plan(recipe('cifar10-resnet18-pang'), { device: 'a100', count: 4 });
    assert.ok(Math.abs(four.imagesPerSecond / one.imagesPerSecond - 4) < 0.2);
    assert.equal(four.memory.activations, one.memory.activations / 4);
    assert.equal(four.memory.weights, one.memory.weights);
  });

  it('takes the precision of the recipe, and refuses what the device does not have', async () => {
    const at = (precision: string) => recipe('cifar10-resnet18-pang', `training.precision=${precision}`);
    const speeds = [];
    for (const precision of ['float32', 'tf32', 'bfloat16'])
      speeds.push((await plan(at(precision), { device: 'a100' })).imagesPerSecond);
    assert.deepEqual(
      speeds,
      [...speeds].sort((a, b) => a - b),
    );
    await assert.rejects(plan(at('tf32'), { device: 'v100' }), /Expected float32 for training\.precision/);
    await assert.rejects(plan(at('tf32'), { device: 'cpu' }), /Only graphics cards compute in TF32/);
  });

  it('refuses a batch that cannot be shared, and several of this machine', async () => {
    const both = recipe('cifar10-resnet18-pang');
    await assert.rejects(plan(both, { device: 'a100', count: 3 }), InputError);
    await assert.rejects(plan(both, { count: 2 }), /`device` with `count`/);
    const groups = recipe('cifar10-resnet18-pang', 'training.batchNorm={ghost: 32}');
    await assert.rejects(
      plan(groups, { device: 'a100', count: 8 }),
      /a multiple of 32, the group .* received 16/,
    );
  });

  it('can be made for every device that the command names', () => {
    assert.deepEqual(devicesOfTable, Object.keys(devices));
    const option = planCommand().options.find(({ long }) => long === '--device');
    for (const name of [...devicesOfTable, 'cpu', 'cuda', 'cuda:1'])
      assert.equal(option?.parseArg?.(name, undefined), name);
    assert.throws(() => option?.parseArg?.('tpu', undefined), /Expected cpu, cuda, cuda:N or one of h100/);
  });
});

describe('a plan for this machine', () => {
  it('takes some steps of the recipe', async () => {
    const { stepSeconds, imagesPerSecond, basis, parameters } = await plan(
      recipe('fashion-mnist-silu', 'training.batch=4'),
    );
    assert.ok(stepSeconds > 1e-5 && stepSeconds < 60, `${stepSeconds}`);
    assert.ok(Math.abs(imagesPerSecond * stepSeconds - 4) < 1e-9);
    assert.equal(basis, 'measured steps');
    const shape = [1, 28, 28] as const;
    const description = {
      architecture: 'resnet8',
      width: 0.5,
      activation: 'silu',
      shape,
      normalise: null,
    } as const;
    using model = Model.create({ ...description, classes: [...'0123456789'] }, { seed: 0 });
    assert.equal(parameters, model.parameterCount);
  });

  it('takes steps of fewer images than a group of ghost batch norm has', () => {
    const groups = recipe('fashion-mnist-clean', 'training.batch=64', 'training.batchNorm={ghost: 64}');
    const { perImage } = measureStep(groups, { shape: [1, 8, 8], classes: 10 }, { images: 3, device: 'cpu' });
    assert.ok(perImage > 0);
  });
});

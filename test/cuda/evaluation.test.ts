/** AutoAttack on the device and on the CPU: the same verdicts but for rounding, and every broken image verified in float32. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { evaluateRun } from '../../src/app/evaluate/evaluate-run.js';
import { verifyRun } from '../../src/app/evaluate/verify-run.js';
import { openModel } from '../../src/app/model/open-model.js';
import { attackNamesOf } from '../../src/attacks/autoattack.js';
import { subset } from '../../src/data/dataset.js';
import { setThreads } from '../../src/engine/engine-info.js';
import type { Precision } from '../../src/engine/precision-name.js';
import { newEvaluationFolder } from '../../src/evaluation/folder/new-folder.js';
import { exportTorchScript } from '../../src/models/torchscript-export.js';
import { writeCheckpoint } from '../../src/runs/checkpoint.js';
import { adversarial } from '../../src/training/objectives/adversarial.js';
import { type NormName, normNames } from '../../src/user-input/norm-name.js';
import { toArrays } from '../../src/weights/module-weights.js';
import { blobs, smallModel, training } from '../support/blobs.js';
import { epsilon, pgd } from '../support/objectives.js';
import { device, isCard } from '../support/test-device.js';

setThreads(4); // of a machine with a card; the CPU's half takes minutes otherwise

const folder = mkdtempSync(join(tmpdir(), 'satin-cuda-'));
after(() => rmSync(folder, { recursive: true }));

/** Square asks 5,000 times, which takes the CPU minutes: once, in L∞, is enough. */
const attacks = {
  linf: isCard ? attackNamesOf('standard', 'linf') : ['apgd-ce', 'apgd-t-1', 'fab-t-1'],
  l2: ['apgd-ce', 'apgd-t', 'fab-t'],
  l1: ['apgd-ce-large', 'apgd-t-large', 'fab-t'],
};
const radii: Readonly<Record<NormName, number>> = { linf: epsilon * 2, l2: 0.15, l1: 0.6 };
const count = isCard ? 200 : 12;
const images = blobs(640 + count);
const data = subset(
  images,
  Array.from({ length: count }, (_, at) => 640 + at),
);
const model = smallModel(images);
after(() => model.dispose());
using steps = training(model, images, adversarial({ attack: pgd }));
for (let step = 0; step < 60; step++) steps.step();
const { classes, shape, ...rest } = model.description;
writeCheckpoint({
  run: folder,
  name: 'best',
  step: 60,
  model: { ...rest, normalise: null, classes: [...classes], shape: [...shape] },
  weights: toArrays(model.network.state()),
  state: null,
});
const trained = join(folder, 'checkpoints', 'best.json');

async function measured(
  where: string,
  options: {
    readonly path?: string;
    readonly precision?: Precision;
    readonly kept?: string;
    readonly batch?: number;
    readonly attacks?: readonly string[];
    readonly norm?: NormName;
  } = {},
) {
  const { path = trained, kept, norm = 'linf', ...others } = options;
  const radius = radii[norm];
  using opened = openModel(path, { device: where });
  const { result } = await evaluateRun({
    model: opened,
    data,
    attacks: attacks[norm],
    norm,
    epsilon: { epsilon: radius, epsilonText: String(radius) },
    seed: 0,
    batch: 100,
    interrupted: () => false,
    ...others,
    ...(kept !== undefined && { folder: newEvaluationFolder(join(folder, kept)) }),
  });
  return result;
}

/** The share of images with the same verdict. */
function alike(one: Awaited<ReturnType<typeof measured>>, other: typeof one): number {
  const verdicts = (of: typeof one) =>
    of.perExample.map(({ clean, brokenBy }) => `${clean} ${brokenBy !== null}`);
  const [first, second] = [verdicts(one), verdicts(other)];
  return first.filter((verdict, at) => verdict === second[at]).length / first.length;
}

describe(`the standard attacks on ${device}`, async () => {
  for (const norm of normNames)
    it(`give at least 99 % of the CPU's verdicts in ${norm}`, async (context) => {
      const [cpu, found] = [
        await measured('cpu', { norm }),
        await measured(device, { norm, kept: `kept-${norm}` }),
      ];
      const share = alike(cpu, found);
      context.diagnostic(
        `${count} images: ${(100 * share).toFixed(1)} % alike, robust ${cpu.robust} and ${found.robust}, ${cpu.seconds.toFixed(1)} s and ${found.seconds.toFixed(1)} s`,
      );
      assert.ok(cpu.robust > 0.05 && cpu.robust < 0.95, `robust ${cpu.robust}`);
      assert.ok(share >= 0.99, `${share}`);
      assert.equal(found.engine.device, device);
      for (const where of ['cpu', device])
        assert.deepEqual(verifyRun({ folder: join(folder, `kept-${norm}`), device: where }).failed, []);
    });

  it('raise the flags of the CPU', async () => {
    const quick = { attacks: ['fgsm'] };
    const codes = async (where: string) => (await measured(where, quick)).flags.map(({ code }) => code);
    assert.deepEqual(await codes(device), await codes('cpu'));
  });

  it('do not depend on the size of the batch', async (context) => {
    const quick = { attacks: ['apgd-ce'] };
    const share = alike(await measured(device, quick), await measured(device, { ...quick, batch: 7 }));
    context.diagnostic(`${(100 * share).toFixed(1)} % alike`);
    assert.ok(share >= 0.99);
  });

  it('give the same verdicts twice', async () => {
    const [first, second] = [
      await measured(device, { attacks: ['apgd-ce'] }),
      await measured(device, { attacks: ['apgd-ce'] }),
    ];
    assert.deepEqual(first.perExample, second.perExample);
  });

  it('attack a TorchScript file as they attack the network', async () => {
    exportTorchScript(model, join(folder, 'traced.pt'));
    const quick = { attacks: ['apgd-ce'] };
    const share = alike(
      await measured(device, quick),
      await measured(device, { ...quick, path: join(folder, 'traced.pt') }),
    );
    assert.ok(share >= 0.99, `${share}`);
  });
});

describe(`a search in less than float32 on ${device}`, async () => {
  for (const precision of isCard ? (['tf32', 'bfloat16'] as const) : (['bfloat16'] as const))
    it(`finds images that float32 calls broken: ${precision}`, async (context) => {
      const kept = `kept-${precision}`;
      const gradients = { attacks: ['apgd-ce', 'apgd-t'] };
      const exact = await measured(device, gradients);
      const found = await measured(device, { ...gradients, precision, kept });
      context.diagnostic(`robust ${exact.robust} in float32, ${found.robust} searched in ${precision}`);
      assert.deepEqual(found.precision, { search: precision, verdict: 'float32' });
      assert.ok(found.robust <= exact.robust + 0.1, 'a rough search still finds most');
      for (const where of ['cpu', device])
        assert.deepEqual(verifyRun({ folder: join(folder, kept), device: where }).failed, []);
    });
});

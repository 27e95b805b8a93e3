/**
 * What goes to PyTorch and comes back: bits of weights, logits of TorchScript. SATIN_PYTHON names a Python with torch and
 * safetensors.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { activationNames } from '../../../src/activations/parse.js';
import { exportModel } from '../../../src/app/model/export-model.js';
import { openModel } from '../../../src/app/model/open-model.js';
import { readModelFile } from '../../../src/app/model/read-model-file.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import type { ModelDescription } from '../../../src/models/description.js';
import { Model } from '../../../src/models/model.js';
import { exportTorchScript } from '../../../src/models/torchscript-export.js';
import { noise } from '../../../src/tensor/noise.js';
import { scope } from '../../../src/tensor/scope.js';
import { loadWeights, toArrays, toTensor } from '../../../src/weights/module-weights.js';
import { encodeSafetensors, readSafetensors } from '../../../src/weights/safetensors.js';

const python = process.env.SATIN_PYTHON;
const script = fileURLToPath(new URL('../../../../scripts/golden/state_dicts.py', import.meta.url));
const run = (...words: string[]) => execFileSync(python!, [script, ...words], { encoding: 'utf8' });
const temporary = mkdtempSync(join(tmpdir(), 'satin-python-'));
after(() => rmSync(temporary, { recursive: true }));
const file = (name: string) => join(temporary, name);
setThreads(1);

const description: ModelDescription = {
  architecture: 'resnet8',
  width: 1,
  activation: 'relu',
  classes: ['a', 'b', 'c'],
  shape: [3, 32, 32],
  normalise: { mean: [0.5, 0.45, 0.4], std: [0.25, 0.2, 0.3] },
};
const networks: readonly Partial<ModelDescription>[] = [
  ...activationNames.map((activation) => ({ activation })),
  ...(['preact-resnet18', 'wideresnet28-10', 'resnet50', 'resnext50-32x4d', 'efficientnet-b0'] as const).map(
    (architecture) => ({ architecture, width: 0.25, activation: 'silu' }),
  ),
];

/** New networks multiply the end of each block by 0, and nobody would see what is in it. */
function awake(model: Model): void {
  const arrays = toArrays(model.network.state()).map((array) =>
    array.name.endsWith('weight') && array.bytes.every((byte) => byte === 0)
      ? { ...array, bytes: new Uint8Array(new Float32Array(array.bytes.length / 4).fill(0.5).buffer) }
      : array,
  );
  loadWeights(model.network, arrays);
}

describe('what PyTorch makes of Satin’s files', {
  skip: python === undefined && 'SATIN_PYTHON is not set',
}, () => {
  const batches = scope(() =>
    toArrays(
      new Map(
        [1, 2, 7].map((count) => [
          `batch-${count}`,
          noise('uniform', {
            key: { seed: count, stream: 'bench' },
            ids: Array.from({ length: count }, (_, id) => id),
            shape: description.shape,
          }),
        ]),
      ),
    ),
  );
  writeFileSync(file('images.safetensors'), encodeSafetensors(batches));

  for (const change of networks)
    it(`TorchScript answers as here: ${Object.values(change).join(' ')}`, (context) => {
      using model = Model.create({ ...description, ...change }, { seed: 5 });
      awake(model);
      exportTorchScript(model, file('network.pt'));
      run('run', file('network.pt'), file('images.safetensors'), file('logits.safetensors'));
      using opened = openModel(file('network.pt'));
      const answers = new Map(
        readSafetensors(file('logits.safetensors')).arrays.map((each) => [each.name, each]),
      );
      scope(() => {
        const apart = { file: 0, model: 0 };
        for (const images of batches) {
          const wanted = toTensor(answers.get(images.name)!).numbers();
          const largest = Math.max(...wanted.map(Math.abs));
          for (const [which, { classify }] of Object.entries({ file: opened, model }) as [
            keyof typeof apart,
            Model,
          ][]) {
            const found = classify(toTensor(images)).numbers();
            apart[which] = Math.max(
              apart[which],
              ...found.map((value, at) => Math.abs(value - wanted[at]!) / largest),
            );
          }
        }
        context.diagnostic(
          `the same file ${apart.file.toExponential(1)}, the model ${apart.model.toExponential(1)}`,
        );
        assert.ok(apart.file <= 1e-6, String(apart.file));
        assert.ok(apart.model <= 1e-5, String(apart.model));
      });
    });

  for (const architecture of ['resnet18-imagenet', 'wideresnet28-10', 'efficientnet-b0'] as const)
    it(`weights are the same bits there and back: ${architecture}`, () => {
      const form = { ...description, architecture, width: 0.25 };
      using model = Model.create(form, { seed: 8 });
      writeFileSync(file('there.safetensors'), encodeSafetensors(toArrays(model.network.state())));
      run('save', file('there.safetensors'), file('state.pt'));
      for (const state of ['state.pt', 'state.pt.old']) {
        const out = file(`${state}.safetensors`);
        exportModel(readModelFile(file(state), { external: form }), { format: 'safetensors', out });
        assert.match(run('compare', out, file('state.pt')), /^\d+ arrays, 0 differ\n$/);
      }
    });
});

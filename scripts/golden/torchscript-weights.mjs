/**
 * Trains the network of test/golden/torchscript with Satin and writes its weights; scripts/golden/torchscript.py makes the
 * rest from them.
 *
 *     npx tsc && node scripts/golden/torchscript-weights.mjs
 */
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = new URL('../../dist/', import.meta.url);
const load = (file) => import(new URL(file, dist).href);
const { Model } = await load('src/models/model.js');
const { toArrays } = await load('src/weights/module-weights.js');
const { writeCheckpoint } = await load('src/runs/checkpoint.js');
const { setThreads } = await load('src/engine/engine-info.js');
const { clean } = await load('src/training/objectives/objective.js');
const { blobs, training } = await load('test/support/blobs.js');

setThreads(1);
const data = blobs(512);
const description = {
  architecture: 'resnet8',
  width: 0.375,
  activation: 'silu',
  classes: data.classes,
  shape: data.shape,
  normalise: { mean: [0.5, 0.45], std: [0.25, 0.2] },
};
const model = Model.create(description, { seed: 4 });
const steps = training(model, data, clean());
for (let step = 0; step < 64; step++) console.log(step, steps.step());
const run = mkdtempSync(join(tmpdir(), 'satin-golden-'));
const weights = toArrays(model.network.state());
writeCheckpoint({ run, name: 'last', step: 64, model: description, weights, state: {} });
const file = readdirSync(join(run, 'checkpoints')).find((name) => name.endsWith('.safetensors'));
copyFileSync(
  join(run, 'checkpoints', file),
  fileURLToPath(new URL('../../test/golden/torchscript/resnet8.safetensors', import.meta.url)),
);
rmSync(run, { recursive: true });

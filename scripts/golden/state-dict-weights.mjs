/**
 * Writes test/golden/state-dicts/tiny.safetensors, a network of Satin's whose every weight is random;
 * scripts/golden/state_dicts.py makes PyTorch's files from it.
 *
 *     npx tsc && node scripts/golden/state-dict-weights.mjs
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const dist = new URL('../../dist/', import.meta.url);
const load = (file) => import(new URL(file, dist).href);
const { Model } = await load('src/models/model.js');
const { toArrays } = await load('src/weights/module-weights.js');
const { writeWeights } = await load('src/runs/checkpoint.js');
const { noise } = await load('src/tensor/noise.js');
const { scope } = await load('src/tensor/scope.js');
const { noGrad } = await load('src/tensor/gradient.js');

const description = {
  architecture: 'resnet8',
  width: 0.0625,
  activation: 'relu',
  classes: ['a', 'b', 'c'],
  shape: [3, 8, 8],
  normalise: { mean: [0.5, 0.4375, 0.375], std: [0.25, 0.25, 0.5] },
};
const model = Model.create(description, { seed: 1 });
const state = model.network.state();
scope(() =>
  noGrad(() => {
    let id = 0;
    for (const tensor of state.values()) {
      if (tensor.dtype !== 'float32') continue;
      const key = { seed: 6, stream: 'bench' };
      tensor.copy_(
        noise('uniform', { key, ids: [id++], shape: [tensor.size] })
          .add(0.25)
          .reshape(tensor.shape),
      );
    }
  }),
);
const folder = fileURLToPath(new URL('../../test/golden/state-dicts/', import.meta.url));
mkdirSync(folder, { recursive: true });
writeWeights(`${folder}tiny.safetensors`, { model: description, weights: toArrays(state) });

/** `node scripts/parity/arrays.mjs PARITY NETWORK [DATA_DIR]`: the inputs of both sides, PARITY/arrays/NETWORK.safetensors. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DatasetTensors,
  loadExamples,
  noGrad,
  openModel,
  pixelsDigest,
  scope,
  subset,
} from '../../dist/src/index.js';
import { encodeSafetensors } from '../../dist/src/weights/safetensors.js';
import { quantised } from './quantised.mjs';
import { networks, runs, slice } from './runs.mjs';

const [parity, network, dir] = process.argv.slice(2);
const { weights, data, levels } = networks[network];
const [name, split] = data.split(':');
const model = openModel(join(parity, 'nets', weights));
const drawn = await loadExamples(model, { name, split, dir, count: runs.standard, seed: 0 });
const images = drawn.order === 'file' ? drawn : subset(drawn, dealt(drawn));
const tensors = new DatasetTensors(images);
const count = images.ids.length;
const classify = quantised(model.classify, levels);
const pixels = Float32Array.from(images.images, (byte) => byte / 255);
const logits = [];
for (let start = 0; start < count; start += slice)
  scope(() => {
    const places = Array.from({ length: Math.min(slice, count - start) }, (_, at) => start + at);
    logits.push(...noGrad(() => classify(tensors.batch(places).x)).numbers());
  });

const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);
const integers = (values) => bytesOf(BigInt64Array.from(values, BigInt));
mkdirSync(join(parity, 'arrays'), { recursive: true });
const file = join(parity, 'arrays', `${network}.safetensors`);
writeFileSync(
  `${file}.part`,
  encodeSafetensors(
    [
      { name: 'x', dtype: 'F32', shape: [count, ...images.shape], bytes: bytesOf(pixels) },
      { name: 'y', dtype: 'I64', shape: [count], bytes: integers([...images.labels]) },
      { name: 'ids', dtype: 'I64', shape: [count], bytes: integers([...images.ids]) },
      {
        name: 'logits',
        dtype: 'F32',
        shape: [count, logits.length / count],
        bytes: bytesOf(Float32Array.from(logits)),
      },
    ],
    {
      pixelsDigest: pixelsDigest(images),
      weightsDigest: model.digest,
      classes: JSON.stringify(images.classes),
    },
  ),
);
renameSync(`${file}.part`, file);

/** The places of a set that lies class by class, dealt out: the first of each class, the second of each, and so on. */
function dealt({ labels }) {
  const seen = new Map();
  const rank = Array.from(labels, (label) => {
    const before = seen.get(label) ?? 0;
    seen.set(label, before + 1);
    return before;
  });
  return [...rank.keys()].sort((a, b) => rank[a] - rank[b] || labels[a] - labels[b]);
}

/** `node scripts/parity/satin.mjs PARITY NETWORK RUN SEED START`: Satin's verdicts on one slice of images. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  autoAttack,
  DatasetTensors,
  engineInfo,
  evaluate,
  norms,
  openModel,
  parseEpsilon,
  setThreads,
  subset,
} from '../../dist/src/index.js';
import { encodeSafetensors, readSafetensors } from '../../dist/src/weights/safetensors.js';
import { quantised } from './quantised.mjs';
import { attacks, jobFile, letters, networks, slice } from './runs.mjs';

const [parity, network, run, seed, start] = process.argv.slice(2);
const { weights, norm, epsilon, levels } = networks[network];
setThreads(Number(process.env.PARITY_THREADS ?? 1));
const { metadata, arrays } = readSafetensors(join(parity, 'arrays', `${network}.safetensors`));
const array = Object.fromEntries(arrays.map((each) => [each.name, each]));
const numbers = ({ bytes }, Kind) =>
  new Kind(bytes.buffer, bytes.byteOffset, bytes.byteLength / Kind.BYTES_PER_ELEMENT);
const whole = {
  name: network,
  classes: JSON.parse(metadata.classes),
  shape: array.x.shape.slice(1),
  images: Uint8Array.from(numbers(array.x, Float32Array), (value) => Math.round(value * 255)),
  labels: Uint8Array.from(numbers(array.y, BigInt64Array), Number),
  ids: Uint32Array.from(numbers(array.ids, BigInt64Array), Number),
  order: 'file',
  warnings: [],
};
const places = Array.from({ length: slice }, (_, at) => Number(start) + at);
const data = subset(whole, places);

const model = openModel(join(parity, 'nets', weights));
if (model.digest !== metadata.weightsDigest)
  throw new Error(`The arrays are of the weights ${metadata.weightsDigest}.`);
const fast = model.forAttacks();
const tensors = new DatasetTensors(data);
const subject = { exact: quantised(model.classify, levels), fast: quantised(fast.classify, levels) };
// In L1 the attacks of the set have other names.
const set = autoAttack('standard', norm);
const chosen = run === 'standard' ? set : [set[attacks.indexOf(run)]];
const letterOf = new Map(set.map((attack, place) => [attack.name, letters[attacks[place]]]));
const began = process.cpuUsage();
const evaluation = await evaluate(subject, tensors, {
  attacks: chosen,
  threat: { norm: norms[norm], epsilon: parseEpsilon(epsilon, norm, 'epsilon').epsilon },
  seed: Number(seed),
  batch: slice,
});
const { user, system } = process.cpuUsage(began);

const file = jobFile(parity, { side: 'satin', network, run, seed, start });
mkdirSync(dirname(file), { recursive: true });
const broken = [...evaluation.adversarial].sort(([a], [b]) => a - b);
writeFileSync(
  file.replace(/json$/, 'safetensors'),
  encodeSafetensors(
    broken.map(([place, { buffer, byteOffset, byteLength }]) => ({
      name: String(place + Number(start)),
      dtype: 'F32',
      shape: data.shape,
      bytes: new Uint8Array(buffer, byteOffset, byteLength),
    })),
  ),
);
const record = {
  verdicts: evaluation.perExample
    .map(({ clean, brokenBy }) => (!clean ? letters.clean : (letterOf.get(brokenBy) ?? letters.standing)))
    .join(''),
  cpuSeconds: (user + system) / 1e6,
  commit: process.env.PARITY_COMMIT,
  libtorch: engineInfo().libtorch,
  weightsDigest: metadata.weightsDigest,
  pixelsDigest: metadata.pixelsDigest,
};
writeFileSync(`${file}.part`, JSON.stringify(record));
renameSync(`${file}.part`, file);

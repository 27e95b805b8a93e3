/**
 * `node scripts/parity/collect.mjs PARITY`: results of the finished jobs -> test/golden/parity/NETWORK.json. If only one side
 * broke an example, its adversarial image is evaluated by Satin's network.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noGrad, openModel, scope, tensor } from '../../dist/src/index.js';
import { readSafetensors } from '../../dist/src/weights/safetensors.js';
import { quantised } from './quantised.mjs';
import { finished, jobFile, letters, networks, runs, slice } from './runs.mjs';

const [parity] = process.argv.slice(2);
const folder = fileURLToPath(new URL('../../test/golden/parity', import.meta.url));
mkdirSync(folder, { recursive: true });
const isBroken = (letter) => letter !== letters.clean && letter !== letters.standing;

for (const network of Object.keys(networks)) {
  if (!existsSync(join(parity, 'arrays', `${network}.safetensors`))) continue;
  const record = collect(network);
  if (record === null) continue;
  const rows = Object.entries(record).map(([key, value]) => `  ${JSON.stringify(key)}: ${line(key, value)}`);
  writeFileSync(join(folder, `${network}.json`), `{\n${rows.join(',\n')}\n}\n`);
  const lengths = record.runs.map(
    ({ side, run, seed, verdicts }) => `${side} ${run} ${seed}: ${verdicts.length}`,
  );
  console.log(`${network}\n  ${lengths.join('\n  ')}`);
  for (const each of record.disagreements) console.log(`  ${JSON.stringify(each)}`);
}

/** One run, and one disagreement, a line. */
function line(key, value) {
  if (!['runs', 'disagreements'].includes(key) || value.length === 0) return JSON.stringify(value);
  return `[\n${value.map((each) => `    ${JSON.stringify(each)}`).join(',\n')}\n  ]`;
}

function collect(network) {
  const { weights, levels } = networks[network];
  const { metadata, arrays } = readSafetensors(join(parity, 'arrays', `${network}.safetensors`));
  const labels = arrays.find(({ name }) => name === 'y').bytes;
  const label = (place) =>
    Number(new DataView(labels.buffer, labels.byteOffset).getBigInt64(8 * place, true));
  const found = [];
  let logits = 0;
  for (const run of Object.keys(runs))
    for (const seed of [0, 1])
      for (const side of ['reference', 'satin']) {
        const { parts, verdicts } = finished(parity, { side, network, run, seed });
        if (parts.length === 0) continue;
        for (const part of parts) {
          if (part.weightsDigest !== metadata.weightsDigest || part.pixelsDigest !== metadata.pixelsDigest)
            throw new Error(`${side} ${network} ${run} ${seed} is of other weights or images.`);
          logits = Math.max(logits, part.logits ?? 0);
        }
        const versions = new Set(
          parts.map((part) => `${part.commit}, libtorch ${part.libtorch ?? part.torch}`),
        );
        const cpuSeconds = Math.round(parts.reduce((sum, part) => sum + part.cpuSeconds, 0));
        found.push({ side, run, seed, versions: [...versions], cpuSeconds, verdicts });
      }
  if (found.length === 0) return null;
  const model = openModel(join(parity, 'nets', weights));
  if (model.digest !== metadata.weightsDigest) throw new Error(`The weights of ${network} are others now.`);
  const classify = quantised(model.classify, levels);

  /** z_label − the largest other logit, of the image that broke an example; below 0 it is broken. */
  const marginOf = (job, place) =>
    scope(() => {
      const file = jobFile(parity, { ...job, start: place - (place % slice) });
      const image = readSafetensors(file.replace(/json$/, 'safetensors')).arrays.find(
        ({ name }) => name === String(place),
      );
      const values = new Float32Array(image.bytes.buffer, image.bytes.byteOffset, image.bytes.length / 4);
      const x = tensor(Float32Array.from([...values, ...values]), [2, ...image.shape]);
      const given = noGrad(() => classify(x))
        .numbers()
        .slice(0, JSON.parse(metadata.classes).length);
      const own = label(place);
      return given[own] - Math.max(...given.filter((_, at) => at !== own));
    });

  const disagreements = [];
  for (const run of Object.keys(runs)) {
    const of = (side) =>
      found.find((each) => each.side === side && each.run === run && each.seed === 0)?.verdicts ?? '';
    const [theirs, ours] = [of('reference'), of('satin')];
    for (let place = 0; place < Math.min(theirs.length, ours.length); place++) {
      if (isBroken(theirs[place]) === isBroken(ours[place])) continue;
      const side = isBroken(theirs[place]) ? 'reference' : 'satin';
      const margin = Number(marginOf({ side, network, run, seed: 0 }, place).toPrecision(3));
      disagreements.push({ run, place, reference: theirs[place], satin: ours[place], margin });
    }
  }
  return {
    network,
    ...networks[network],
    weightsDigest: metadata.weightsDigest,
    pixelsDigest: metadata.pixelsDigest,
    slice,
    letters,
    logitsDifferAtMost: logits,
    runs: found,
    disagreements,
  };
}

/** The network and the images on which the reference implementation of AutoAttack was run: scripts/parity/replay.py. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readModel } from '../../src/app/model/checkpoint-model.js';
import { autoAttack } from '../../src/attacks/autoattack.js';
import { type NormName, norms } from '../../src/attacks/norms.js';
import type { Dataset } from '../../src/data/dataset.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { scope } from '../../src/tensor/scope.js';
import { largestDifference } from './close.js';

export interface ReplayedExample {
  readonly id: number;
  readonly label: number;
  /** The attack that broke it, by its letter; `.`: robust, `-`: misclassified without an attack. */
  readonly verdict: string;
  readonly logits: readonly number[];
}

export interface ReplayedNetwork {
  /** Behind pixels rounded to multiples of 1/levels, where the gradient is 0; null for the network alone. */
  readonly levels: number | null;
  readonly examples: readonly ReplayedExample[];
}

export interface Replay {
  readonly norm: NormName;
  readonly epsilon: number;
  /** Bytes of the images by id. */
  readonly pixels: Readonly<Record<string, readonly number[]>>;
  readonly networks: Readonly<Record<string, ReplayedNetwork>>;
}

/** The letters of the attacks, by the first two parts of their names. */
const letters: readonly (readonly [start: string, letter: string])[] = [
  ['apgd-ce', 'c'],
  ['apgd-t', 't'],
  ['fab-t', 'f'],
  ['square', 's'],
];

const { model } = readModel(
  fileURLToPath(new URL('../../../test/golden/parity-replay.safetensors', import.meta.url)),
);

function masked(classify: Classifier, levels: number): Classifier {
  return (x) =>
    scope(() => {
      let steps = x.mul(0);
      for (let level = 0; level < levels; level++)
        steps = steps.add(x.greater((level + 0.5) / levels).to(x.dtype));
      return classify(steps.div(levels));
    });
}

/** Logits of images by Satin, and its verdict on each under the standard set. */
export async function replayed(
  { norm, epsilon, pixels }: Replay,
  { levels }: Pick<ReplayedNetwork, 'levels'>,
  examples: readonly Pick<ReplayedExample, 'id' | 'label'>[],
): Promise<{ readonly logits: Float64Array; readonly verdicts: string }> {
  const dataset: Dataset = {
    name: 'fashion-mnist:test',
    classes: model.description.classes,
    shape: [1, 28, 28],
    images: Uint8Array.from(examples.flatMap(({ id }) => pixels[id]!)),
    labels: Uint8Array.from(examples, ({ label }) => label),
    ids: Uint32Array.from(examples, ({ id }) => id),
    order: 'file',
    warnings: [],
  };
  using folded = model.fold();
  const through = (classify: Classifier) => (levels === null ? classify : masked(classify, levels));
  const subject = { exact: through(model.classify), fast: through(folded.classify) };
  using data = new DatasetTensors(dataset);
  const logits = scope(() => subject.exact(data.batch([...examples.keys()]).x).numbers());
  const { perExample } = await evaluate(subject, data, {
    attacks: autoAttack('standard', norm),
    threat: { norm: norms[norm], epsilon },
    seed: 0,
    batch: examples.length,
  });
  const verdicts = perExample.map(({ clean, brokenBy }) => {
    if (!clean) return '-';
    return brokenBy === null ? '.' : letters.find(([start]) => brokenBy.startsWith(start))![1];
  });
  return { logits, verdicts: verdicts.join('') };
}

/** Requires of a network the logits and, of the images, the verdicts that the reference has. */
export async function requireReplayed(
  context: TestContext,
  golden: Replay,
  network: ReplayedNetwork,
): Promise<void> {
  const { examples } = network;
  const { logits, verdicts } = await replayed(golden, network, examples);
  const off = largestDifference(
    logits,
    examples.flatMap((each) => each.logits),
  );
  assert.ok(off < 1e-4, `logits are off by ${off}`);
  context.diagnostic(verdicts);
  assert.equal(verdicts, examples.map(({ verdict }) => verdict).join(''));
  assert.ok(new Set(verdicts).size >= 2, 'several verdicts occur');
}

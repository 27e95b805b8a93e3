/**
 * AutoAttack's standard set replayed on a small network, image by image: the attack that breaks each is the one that the
 * reference implementation found (scripts/parity/replay.py). The committed tables of docs/autoattack.md are larger, but they
 * do not notice when a kernel or an attack changes.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readModel } from '../../src/app/model/checkpoint-model.js';
import { parseAttack } from '../../src/attacks/attack.js';
import { attackNamesOf } from '../../src/attacks/autoattack.js';
import { norms } from '../../src/attacks/norms.js';
import type { Dataset } from '../../src/data/dataset.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { scope } from '../../src/tensor/scope.js';
import { largestDifference } from '../support/close.js';
import { readGolden } from '../support/golden.js';

setThreads(1);

interface Example {
  readonly id: number;
  readonly label: number;
  /** The attack that broke it, by its letter; `.`: robust, `-`: misclassified without an attack. */
  readonly verdict: string;
  readonly logits: readonly number[];
}
interface Replay {
  readonly epsilon: number;
  /** Bytes of the images by id. */
  readonly pixels: Readonly<Record<string, readonly number[]>>;
  readonly networks: Readonly<
    Record<string, { readonly levels: number | null; readonly examples: readonly Example[] }>
  >;
}
const letters: Readonly<Record<string, string>> = {
  'apgd-ce': 'c',
  'apgd-t': 't',
  'fab-t': 'f',
  square: 's',
};
const golden = readGolden<Replay>('parity-replay');
const { model } = readModel(
  fileURLToPath(new URL('../../../test/golden/parity-replay.safetensors', import.meta.url)),
);

/** Behind pixels rounded to multiples of 1/levels: the gradient is 0. */
const masked =
  (classify: Classifier, levels: number): Classifier =>
  (x) =>
    scope(() => {
      let steps = x.mul(0);
      for (let level = 0; level < levels; level++)
        steps = steps.add(x.greater((level + 0.5) / levels).to(x.dtype));
      return classify(steps.div(levels));
    });

describe('a verdict of the standard set', () => {
  for (const [name, { levels, examples }] of Object.entries(golden.networks))
    it(`is the reference's: ${name}, ${examples.length} images`, async (context) => {
      const dataset: Dataset = {
        name: 'fashion-mnist:test',
        classes: model.description.classes,
        shape: [1, 28, 28],
        images: Uint8Array.from(examples.flatMap(({ id }) => golden.pixels[id]!)),
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
      const expected = examples.flatMap((each) => each.logits);
      const off = largestDifference(logits, expected);
      assert.ok(off < 1e-4, `logits are off by ${off}`);
      const { perExample } = await evaluate(subject, data, {
        attacks: attackNamesOf('standard', 'linf').map(parseAttack),
        threat: { norm: norms.linf, epsilon: golden.epsilon },
        seed: 0,
        batch: examples.length,
      });
      const found = perExample.map(({ clean, brokenBy }) =>
        !clean ? '-' : brokenBy === null ? '.' : letters[brokenBy],
      );
      context.diagnostic(found.join(''));
      assert.equal(found.join(''), examples.map(({ verdict }) => verdict).join(''));
      assert.ok(new Set(found).size >= 2, 'several verdicts occur');
    });
});

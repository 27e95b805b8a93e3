/** The monotone set: what can only grow weaker or stronger does. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { Threat } from '../../../src/attacks/attack.js';
import { norms } from '../../../src/attacks/norms.js';
import { DatasetTensors } from '../../../src/data/dataset-tensors.js';
import { setThreads } from '../../../src/engine/engine-info.js';
import { monotone } from '../../../src/evaluation/checks/monotone.js';
import { type Probe, probeBatch } from '../../../src/evaluation/checks/probe.js';
import type { ModelUnderTest } from '../../../src/evaluation/model-under-test.js';
import type { Classifier } from '../../../src/nn/classifier.js';
import { cat, tensor } from '../../../src/tensor/create.js';
import { noGrad } from '../../../src/tensor/gradient.js';
import { scope } from '../../../src/tensor/scope.js';
import { dots } from '../../support/dots.js';

setThreads(1);

const both = (classify: Classifier): ModelUnderTest => ({ exact: classify, fast: classify });

/** A subject with the images that a check is given. */
async function probing<T>(
  subject: ModelUnderTest,
  body: (probe: Probe) => T | Promise<T>,
  { data, threat }: { readonly data: DatasetTensors; readonly threat: Threat },
): Promise<T> {
  const { batch, labels } = probeBatch(data);
  const logits = scope(() => noGrad(() => subject.exact(batch.x)));
  try {
    return await body({ subject, batch, labels, logits, classes: logits.dimension(1), threat, seed: 0 });
  } finally {
    for (const tensor of [batch.x, batch.labels, logits]) tensor.dispose();
  }
}

/** Wrong where `wrong` holds of the pixel's distance from grey in ε; the margin's slope is 1, or `slope`. */
function ofDistance(
  wrong: (distance: number) => boolean,
  slope: (distance: number) => number = () => 1,
): Classifier {
  return (x) => {
    const distances = [...x.detach().flatten().numbers()].map((pixel) => (pixel - 128 / 255) / dot.epsilon);
    const values = distances.map((distance) => (wrong(distance) ? 1 : -1));
    const slopes = distances.map(slope);
    const pixel = x.flatten(1); // [N, 1]
    const column = (numbers: readonly number[]) => tensor(Float32Array.from(numbers), [numbers.length, 1]);
    const margin = column(values).add(pixel.sub(pixel.detach()).mul(column(slopes)));
    return cat([margin.neg(), margin], 1);
  };
}
const dot: Threat = { norm: norms.linf, epsilon: 0.1 };

describe('the monotone set', () => {
  const set = new DatasetTensors(dots(40));
  after(() => set[Symbol.dispose]());
  const codes = (classify: Classifier, threat = dot) =>
    probing(both(classify), async (probe) => (await monotone(probe)).map(({ code }) => code), {
      data: set,
      threat,
    });

  it('says nothing of a network that it can see through', async () => {
    assert.deepEqual(await codes(ofDistance((distance) => distance > 0.6)), []);
    assert.deepEqual(await codes(ofDistance((distance) => distance > 1.6)), []);
  });

  it('tells how far it is', async () => {
    const told: (readonly [number, number])[] = [];
    const onProgress = (done: number, total: number) => told.push([done, total]);
    const subject = both(ofDistance(() => false));
    await probing(subject, (probe) => monotone(probe, { onProgress }), {
      data: set,
      threat: { ...dot, epsilon: 0 },
    });
    assert.deepEqual(told, [
      [1, 2],
      [2, 2],
    ]);
    told.length = 0;
    await probing(subject, (probe) => monotone(probe, { onProgress }), { data: set, threat: dot });
    assert.deepEqual(
      told,
      [1, 2, 3, 4, 5, 6, 7].map((done) => [done, 7]),
    );
  });

  it('sees that more steps are weaker: small ones do not cross a band that leads back', async () => {
    const back = (distance: number) => (distance > 0.5 && distance < 0.57 ? -1 : 1);
    const found = await codes(ofDistance((distance) => distance > 0.95, back));
    assert.ok(found.includes('more-steps-are-weaker'), found.join());
  });

  it('sees that a larger ε is weaker: long steps leap over what is wrong', async () => {
    const found = await codes(ofDistance((distance) => distance > 0.87 && distance < 0.99));
    assert.ok(found.includes('larger-epsilon-is-weaker'), found.join());
    assert.ok(found.includes('huge-epsilon-stands'), found.join());
  });

  it('sees that a search without gradient beats one with it, and that noise does, where the gradient is 0', async () => {
    const found = await codes(
      ofDistance(
        (distance) => distance > 0.9,
        () => 0,
      ),
    );
    assert.ok(found.includes('black-box-beats-white-box'), found.join());
    assert.ok(found.includes('noise-beats-attack'), found.join());
  });

  it('sees that ε = 0 breaks what keeps a state', async () => {
    let pass = 0;
    const tires: Classifier = (x) => ofDistance(() => pass++ > 5)(x);
    const found = await codes(tires, { ...dot, epsilon: 0 });
    assert.deepEqual(found, ['zero-epsilon-breaks']);
  });
});

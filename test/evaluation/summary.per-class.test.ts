import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { parseAttack } from '../../src/attacks/attack.js';
import { norms } from '../../src/attacks/norms.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import { perClass } from '../../src/evaluation/summary.js';
import { clean } from '../../src/training/objectives/objective.js';
import { blobs, smallModel, training } from '../support/blobs.js';

setThreads(1);

const dataset = blobs(160);
const model = smallModel(dataset);
{
  using steps = training(model, dataset, clean());
  for (let step = 0; step < 25; step++) steps.step();
}
const data = new DatasetTensors(dataset);
after(() => {
  data[Symbol.dispose]();
  model.dispose();
});

const run = (attacks: readonly string[], alone = false, epsilon = 0.02) =>
  evaluate({ exact: model.classify, fast: model.classify }, data, {
    attacks: attacks.map(parseAttack).map((each) => (each.kind === 'square' ? { ...each, steps: 50 } : each)),
    threat: { norm: norms.linf, epsilon },
    seed: 0,
    batch: 64,
    alone,
  });

describe('accuracy of each class', () => {
  it('adds up to that of all, and leaves out classes without examples', async () => {
    const { perExample, clean: all, robust } = await run(['pgd-5']);
    const classes = perClass(perExample, [...dataset.classes, 'never']);
    assert.deepEqual(
      classes.map((each) => [each.label, each.class]),
      [...dataset.classes.entries()],
    );
    const sum = (of: (each: (typeof classes)[number]) => number) =>
      classes.reduce((total, each) => total + of(each), 0);
    assert.equal(
      sum(({ examples }) => examples),
      160,
    );
    assert.ok(Math.abs(sum((each) => each.clean * each.examples) - all * 160) < 1e-9);
    assert.ok(Math.abs(sum((each) => each.robust * each.examples) - robust * 160) < 1e-9);
  });
});

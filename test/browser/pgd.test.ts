/** PGD on plain numbers beside PGD on tensors: the same iterates, of the same network. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runToEnd } from '../../src/attacks/attack-generator.js';
import { type NormName, norms } from '../../src/attacks/norms.js';
import { pgdSteps } from '../../src/attacks/pgd.js';
import { browserPgd, type Differentiate, marginOf, predictedClass, softmax } from '../../src/browser/pgd.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { gradient, withGrad } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import { lively } from '../support/lively-model.js';
import { description } from '../support/onnx-comparison.js';

setThreads(1);
const model = lively(description);
const [ids, labels, seed, steps] = [[3, 70_000], [0, 2], 5, 4];
const shape = [2, ...description.shape];

const differentiate: Differentiate = async (images) =>
  scope(() => {
    const x = tensor(images, shape).requireGrad_();
    const logits = withGrad(() => model.classify(x));
    const slope = gradient(
      withGrad(() => crossEntropy(logits, integers(labels), { reduction: 'sum' })),
      x,
    );
    return {
      logits: Float32Array.from(logits.detach().numbers()),
      gradient: Float32Array.from(slope.numbers()),
    };
  });

/** The iterates of src/attacks/pgd.ts from a random start. */
function onTensors(name: NormName, epsilon: number): Float32Array[] {
  const norm = norms[name];
  return scope(() => {
    const x = noise('uniform', { key: { seed: 1, stream: 'bench' }, ids, shape: description.shape });
    const start = norm.randomStart(x, { epsilon, key: { seed, stream: 'attack' }, ids });
    const iterates = [Float32Array.from(x.numbers())];
    runToEnd(
      pgdSteps(
        model.classify,
        { x, labels: integers(labels), start },
        { norm, epsilon, steps, stepSize: (2.5 * epsilon) / steps },
        ({ x: point }) => {
          iterates.push(Float32Array.from(point.detach().numbers()));
          return null;
        },
      ),
    );
    return iterates;
  });
}

describe('PGD in a browser', () => {
  for (const [name, epsilon, tolerance] of [
    ['linf', 8 / 255, 0],
    ['l2', 0.5, 1e-6],
  ] as const)
    it(`goes where Satin’s goes, in ${name}`, async () => {
      const [images, ...wanted] = onTensors(name, epsilon);
      const attacked = { images: images!, labels, ids };
      const found: Float32Array[] = [];
      for await (const { step, images: points, logits } of browserPgd(differentiate, attacked, {
        norm: name,
        epsilon,
        steps,
        seed,
      })) {
        assert.equal(step, found.length);
        assert.equal(logits.length, 6);
        found.push(points);
      }
      assert.equal(found.length, steps + 1);
      assert.equal(wanted.length, steps + 1);
      for (const [step, points] of found.entries())
        for (const [at, value] of points.entries())
          assert.ok(Math.abs(value - wanted[step]![at]!) <= tolerance, `step ${step}, pixel ${at}`);
      assert.notDeepEqual(found[0], found[steps]);
    });

  it('reads logits as an evaluation does', () => {
    const logits = Float32Array.of(1, 3, 3);
    assert.equal(predictedClass(logits), 1);
    assert.equal(marginOf(logits, 0), 2);
    assert.equal(marginOf(logits, 1), 0);
    const [first, ...others] = softmax(Float32Array.of(1000, 1000, -1000));
    assert.equal(first, 0.5);
    assert.deepEqual(others, [0.5, 0]);
  });
});

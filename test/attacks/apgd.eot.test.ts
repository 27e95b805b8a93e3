/** Expectation over transformation: APGD on classifiers that answer at random climbs the mean gradient of several passes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ApgdOptions, apgd } from '../../src/attacks/apgd.js';
import { attackLosses } from '../../src/attacks/losses.js';
import { norms } from '../../src/attacks/norms.js';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { integers, stack, tensor } from '../../src/tensor/create.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import { assertClose } from '../support/close.js';

setThreads(1);

const shape = [2, 3, 2] as const;
const pixels = 12;
const count = 5;
const passes = 20;

/** z_0 = 0 and z_1 = tanh(x · w), where the w of each pass is `change(pass)` added to a fixed one. */
function classifierOf(change: (pass: number) => number): Classifier & { readonly asked: () => number } {
  let pass = 0;
  const fixed = Float32Array.from({ length: pixels }, (_, at) => Math.sin(3 + 7 * at) / 2);
  const classify = (x: Parameters<Classifier>[0]) => {
    // What is added has no relation to the fixed one, so that it turns the gradient.
    const added = change(pass++);
    const weight = fixed.map((each, at) => each + added * Math.cos(5 * at));
    const logit = x
      .flatten(1)
      .mul(tensor(weight, [pixels]))
      .sum([1])
      .tanh(); // [N]
    return stack([logit.mul(0), logit], 1);
  };
  return Object.assign(classify, { asked: () => pass });
}

/** Every iterate's pixels, and what the steps cost. */
function climb(classify: Classifier, options: Partial<ApgdOptions>) {
  return scope(() => {
    const ids = Array.from({ length: count }, (_, id) => id);
    const x = noise('uniform', { key: { seed: 3, stream: 'bench' }, ids, shape })
      .mul(0.6)
      .add(0.2);
    const iterates: Float64Array[] = [];
    let backwards = 0;
    const search = apgd(
      classify,
      { x, labels: integers(ids.map(() => 0)), start: x },
      { norm: norms.l2, epsilon: 0.3, steps: 10, loss: attackLosses.margin, ...options },
      (iterate) => {
        iterates.push(iterate.x.numbers());
        return null;
      },
    );
    for (const step of search) backwards += step.backwards;
    return { iterates, backwards };
  });
}

/** 19 changes that cancel each other, then none: the mean gradient at a point is the fixed one's, and so is the last loss. */
const cancelling = (pass: number) => {
  const place = pass % passes;
  return place < 18 ? (place % 2 === 0 ? 4 : -4) : 0;
};

describe('APGD with eot', () => {
  it('20 takes the steps of the mean gradient where single passes point elsewhere', () => {
    // tanh is a straight line to 1e-3 for so small a logit, so that the mean of the slopes is the slope of the mean.
    const small =
      (classify: Classifier): Classifier =>
      (x) =>
        classify(x.mul(1e-2)).mul(1e2);
    const expected = climb(small(classifierOf(() => 0)), {});
    const found = climb(small(classifierOf(cancelling)), { eot: passes });
    const single = climb(small(classifierOf(cancelling)), {});
    assert.equal(found.iterates.length, 11);
    const apart = (a: Float64Array, b: Float64Array) =>
      Math.max(...a.map((each, at) => Math.abs(each - b[at]!)));
    for (const [step, iterate] of expected.iterates.entries())
      assertClose(found.iterates[step]!, iterate, { relative: 0, absolute: 2e-3 }, `iterate ${step}`);
    assert.ok(apart(single.iterates[1]!, expected.iterates[1]!) > 0.1, 'one pass is led astray');
  });

  it('20 asks 20 times for each gradient and once for the last iterate', () => {
    const classify = classifierOf(() => 0);
    const { backwards } = climb(classify, { eot: passes, steps: 4 });
    assert.equal(classify.asked(), 4 * passes + 1);
    assert.equal(backwards, 4 * passes * count);
  });

  it('1 is what it was without it, to the bit', () => {
    const [without, one] = [climb(classifierOf(cancelling), {}), climb(classifierOf(cancelling), { eot: 1 })];
    assert.deepEqual(one, without);
    assert.equal(one.backwards, 10 * count);
  });

  it('frees what its passes make', () => {
    climb(
      classifierOf(() => 0),
      { eot: passes, steps: 2 },
    );
    const before = memoryInfo().liveTensors;
    climb(
      classifierOf(() => 0),
      { eot: passes, steps: 2 },
    );
    assert.equal(memoryInfo().liveTensors, before);
  });
});

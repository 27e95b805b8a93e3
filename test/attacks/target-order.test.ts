/** The targets of MALT, against distances in closed form on linear networks and against the choice of its authors' code. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ApgdAttack, parseAttack } from '../../src/attacks/attack.js';
import { norms } from '../../src/attacks/norms.js';
import { measuredClasses, TargetOrder } from '../../src/attacks/target-order.js';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { attackBatch } from '../../src/evaluation/attack-batch.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { linear } from '../../src/tensor/functional.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { images, pixels } from '../support/ball.js';
import { fromGolden, type GoldenTensor, readGolden } from '../support/golden.js';

setThreads(1);

const malt = parseAttack('malt') as ApgdAttack;
const names = ['linf', 'l2', 'l1'] as const;
type Name = (typeof names)[number];

/** The targets of all ranks, by image. */
function ranked(
  classifier: Classifier,
  { x, labels, norm, ranks }: { x: Tensor; labels: readonly number[]; norm: Name; ranks: number },
): number[][] {
  return scope(() => {
    const known = integers(labels);
    using order = new TargetOrder(malt, { classifier, norm: norms[norm] });
    for (const { backwards } of order.measure({ x, labels: known })) assert.equal(backwards, labels.length);
    const rows = [...labels.keys()];
    const columns = Array.from({ length: ranks }, (_, rank) => [
      ...order.targets(rank + 1, { rows, labels: known }).numbers(),
    ]);
    return rows.map((row) => columns.map((column) => column[row]!));
  });
}

const dual: Readonly<Record<Name, (slope: readonly number[]) => number>> = {
  linf: (slope) => slope.reduce((sum, each) => sum + Math.abs(each), 0),
  l2: (slope) => Math.hypot(...slope),
  l1: (slope) => Math.max(...slope.map(Math.abs)),
};

/** A linear network of many classes in float64, and what follows for images from its weights alone. */
function linearNetwork(classes: number, x: Tensor, change: (weights: Float64Array) => void = () => {}) {
  const ids = Array.from({ length: classes }, (_, id) => id);
  const weights = scope(() =>
    noise('normal', { key: { seed: 4, stream: 'bench' }, ids, shape: [pixels], dtype: 'float64' }).numbers(),
  );
  change(weights);
  const points = x.numbers();
  const row = (numbers: Float64Array, at: number) => [...numbers.subarray(at * pixels, (at + 1) * pixels)];
  const rows = ids.map((id) => row(weights, id));
  const logits = Array.from({ length: x.dimension(0) }, (_, image) => {
    const point = row(points, image);
    return rows.map((each) => each.reduce((sum, weight, at) => sum + weight * point[at]!, 0));
  });
  const labels = logits.map((each) => each.indexOf(Math.max(...each)));
  /** The other classes by logit, and the 100 largest of them by distance in the norm, with their distances. */
  const byLogit = (image: number) =>
    ids.filter((id) => id !== labels[image]).sort((a, b) => logits[image]![b]! - logits[image]![a]!);
  const distance = (norm: Name, image: number, target: number) => {
    const own = labels[image]!;
    const slope = dual[norm](rows[target]!.map((weight, at) => weight - rows[own]![at]!));
    return slope === 0 ? Number.POSITIVE_INFINITY : (logits[image]![own]! - logits[image]![target]!) / slope;
  };
  const bySlope = (norm: Name, image: number) =>
    byLogit(image)
      .slice(0, 100)
      .sort((a, b) => distance(norm, image, a) - distance(norm, image, b));
  const classify: Classifier = (batch) =>
    linear(batch.flatten(1), tensor(weights, [classes, pixels]).to(batch.dtype));
  return { classify, labels, byLogit, bySlope, distance };
}

describe('targets by slope', () => {
  for (const norm of names)
    for (const classes of [12, 130])
      it(`are the nearest in closed form on a linear network: ${classes} classes, ${norm}`, () =>
        scope(() => {
          const x = images(6, [0.2, 0.8], 'float64');
          const { classify, labels, byLogit, bySlope } = linearNetwork(classes, x);
          const ranks = Math.min(100, classes - 1);
          assert.equal(measuredClasses(malt, classes), ranks);
          const found = ranked(classify, { x, labels, norm, ranks });
          const rows = [...labels.keys()];
          assert.deepEqual(
            found,
            rows.map((image) => bySlope(norm, image)),
          );
          assert.notDeepEqual(
            found,
            rows.map((image) => byLogit(image).slice(0, ranks)),
          );
        }));

  it('put a class that no step comes nearer to last', () =>
    scope(() => {
      const x = images(1, [0.2, 0.8], 'float64');
      const { labels } = linearNetwork(12, x);
      const own = labels[0]!;
      const twin = (own + 1) % 12;
      const changed = linearNetwork(12, x, (weights) =>
        weights.copyWithin(twin * pixels, own * pixels, (own + 1) * pixels),
      );
      const [found] = ranked(changed.classify, { x, labels: [own], norm: 'linf', ranks: 11 });
      assert.equal(found!.at(-1), twin);
    }));

  const golden = readGolden<{
    weights: Readonly<Record<string, GoldenTensor>>;
    images: GoldenTensor;
    labels: readonly number[];
    runs: readonly { readonly norm: Name; readonly targets: GoldenTensor }[];
  }>('malt');
  for (const { norm, targets } of golden.runs)
    for (const dtype of ['float32', 'float64'] as const)
      it(`are those of the authors' code: ${norm}, ${dtype}`, () =>
        scope(() => {
          const [first, second] = ['linear1.weight', 'linear2.weight'].map((name) =>
            fromGolden(golden.weights[name]!, dtype),
          ) as [Tensor, Tensor];
          const classify: Classifier = (batch) => linear(linear(batch.flatten(1), first).tanh(), second);
          const x = fromGolden(golden.images, dtype);
          const found = ranked(classify, { x, labels: golden.labels, norm, ranks: 9 });
          assert.deepEqual(found.flat(), targets.values);
          assert.deepEqual(targets.shape, [8, 9]);
        }));
});

describe('an attack on targets by slope', () => {
  const one = (name: string) => ({ ...(parseAttack(name) as ApgdAttack), targets: 1, steps: 20 });
  const x = images(40, [0.2, 0.8], 'float64');
  const { classify, labels, byLogit, bySlope, distance } = linearNetwork(30, x, (weights) => {
    // No class by the brightness alone.
    for (let row = 0; row < 30; row++) {
      const own = weights.subarray(row * pixels, (row + 1) * pixels);
      const mean = own.reduce((sum, each) => sum + each, 0) / pixels;
      for (const [at, weight] of own.entries()) own[at] = weight - mean;
    }
    // A twin of each class, which is the most likely other class, and far away since the slopes are nearly equal.
    for (let at = 0; at < weights.length / 2; at++) weights[weights.length / 2 + at] = 0.9 * weights[at]!;
  });
  const rows = [...labels.keys()];

  const broken = (name: string, epsilon: number) =>
    scope(() => {
      const batch = { x: x.to('float32'), labels: integers(labels), ids: rows };
      const count = { forwards: 0, backwards: 0 };
      const threat = { norm: norms.linf, epsilon };
      const subject = { exact: classify, fast: classify };
      const search = attackBatch(subject, batch, { attack: one(name), threat, seed: 0, classes: 30, count });
      let state = search.next();
      while (state.done !== true) state = search.next();
      return { rows: state.value.map(({ row }) => row).sort((a, b) => a - b), ...count };
    });

  it('breaks what its first target is near enough for, and apgd-t does not with the most likely one', () => {
    // At the median distance, so that half of the images can be broken; the box is further away.
    const epsilon = rows
      .map((image) => distance('linf', image, bySlope('linf', image)[0]!))
      .sort((a, b) => a - b)[20]!;
    assert.ok(epsilon < 0.2, `${epsilon}`);
    const near = (order: (image: number) => number) =>
      rows.filter((image) => distance('linf', image, order(image)) < epsilon);
    // Whoever goes towards one class may pass another; on these images nobody does.
    const expected = near((image) => bySlope('linf', image)[0]!);
    const likely = near((image) => byLogit(image)[0]!);
    assert.ok(
      expected.length > likely.length && expected.length < rows.length,
      `${expected.length}, ${likely.length}`,
    );
    const found = broken('malt', epsilon);
    assert.deepEqual(found.rows, expected);
    const missed = broken('apgd-t', epsilon).rows;
    assert.ok(missed.length < found.rows.length, `${missed.length} and ${found.rows.length}`);
  });

  it('counts the passes that measure the classes', () => {
    const { forwards, backwards } = broken('malt', 1e-6);
    assert.equal(backwards, 40 * (29 + 20));
    assert.equal(forwards, 40 * (1 + 21));
  });

  it('leaves nothing behind, also where it is stopped between two classes', () => {
    const batch = { x: x.to('float32'), labels: integers(labels), ids: rows };
    const before = memoryInfo().liveTensors;
    const count = { forwards: 0, backwards: 0 };
    const threat = { norm: norms.linf, epsilon: 0.02 };
    const options = { attack: one('malt'), threat, seed: 0, classes: 30, count };
    for (const steps of [3, 31, Number.POSITIVE_INFINITY]) {
      const search = attackBatch({ exact: classify, fast: classify }, batch, options);
      for (let step = 0; step < steps && search.next().done !== true; step++);
      search.return([]);
    }
    assert.equal(memoryInfo().liveTensors, before);
    batch.x.dispose();
    batch.labels.dispose();
  });
});

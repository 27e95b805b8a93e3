/** Satin's operators with tensors of nearly right shapes, so that calls get past the first check: no crash. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { child } from '../../support/child.js';
import { namedOperators } from '../../support/fuzz.js';

it('ten thousand calls of raw operators of each of five seeds end in values or exceptions', () => {
  for (const seed of [11, 12, 13, 14, 15]) {
    const ended = child(
      { 'test/support/fuzz.js': 'fuzz' },
      `console.log(JSON.stringify(fuzz({ seed: ${seed}, calls: 10_000 })));`,
    );
    assert.equal(ended.signal, null, `seed ${seed}: ${ended.errors}`);
    assert.equal(ended.status, 0, `seed ${seed}: ${ended.errors}`);
  }
});

it('ten thousand calls with images, weights and vectors that nearly fit', (context) => {
  const own = namedOperators().filter(([name]) => name.startsWith('satin::'));
  assert.ok(own.length >= 5);
  const ended = child(
    { 'src/engine/native.js': 'native', 'test/support/mutants.js': 'random' },
    `const addon = native();
    const below = random(3);
    const pick = (values) => values[below(values.length)];
    addon.setThreads(1);
    addon.setMemoryLimits(50e6, 400e6);
    const inner = ['activate_backward', 'norm_activate_forward', 'norm_activate_backward', 'winograd_weights', 'activate_composed'];
    const names = [...${JSON.stringify(own.map(([name]) => name))}, ...inner.map((name) => 'satin::' + name)];
    const operators = names.map((name) => addon.findOperator(name, ''));
    const contiguous = addon.findOperator('aten::contiguous', '');
    const expand = addon.findOperator('aten::expand', '');
    const transpose = addon.findOperator('aten::transpose', 'int');
    const negated = addon.findOperator('aten::_neg_view', '');
    // One in twelve sizes is another than the call's.
    let own = 16;
    const or = (size) => (below(12) === 0 ? pick([0, 1, 3, 8, 16, 32]) : size);
    const shapes = {
      image: () => [or(2), or(own), or(8), or(8)],
      weight: () => [or(own), or(own), or(3), or(3)],
      vector: () => [or(own)],
      examples: () => [or(2)],
      scalar: () => [],
    };
    let made = [];
    const tensor = (kind) => {
      const shape = (below(12) === 0 ? pick(Object.values(shapes)) : (shapes[kind] ?? pick(Object.values(shapes))))();
      const size = shape.reduce((a, b) => a * b, 1);
      const Numbers = below(12) === 0 ? pick([Float64Array, BigInt64Array]) : Float32Array;
      let handle = addon.fromData(new Numbers(size), shape, 'cpu');
      made.push(handle);
      const views = [
        () => addon.call(transpose, handle, 0, 1),
        () => addon.call(negated, handle),
        () => addon.call(expand, handle, [3, ...shape]),
      ];
      const view = below(8) === 0 ? pick(views) : () => addon.call(contiguous, handle, 'channels-last');
      try { handle = view(); made.push(handle); } catch {}
      if (below(4) === 0) try { addon.setRequiresGrad(handle, true); } catch {}
      return handle;
    };
    const curve = () =>
      pick([[0, 0, 0], [1, 1, 0], [below(20), 1, 0], [below(20), 1, 0, below(20), 1, 0], pick([[-1, 0, 0], [1e9, 0, 0], [NaN, 0, 0], [], [1]])]);
    const [image, weight, vector, examples] = ['image', 'weight', 'vector', 'examples'].map((kind) => () => tensor(kind));
    const maybe = (make) => (below(2) === 0 ? null : make());
    const values = [
      image, weight, vector, examples, tensor, () => null, () => true, () => false, () => 0.1, () => 1e-5, curve, curve,
      () => [1, 1], () => [0, 0], () => [2, 1], () => [-1, 2 ** 40], () => 0, () => [below(3)],
    ];
    // What each operator takes, where it is known, so that most calls differ in one place from a right one.
    const right = {
      'satin::conv2d': () => [image(), weight(), null, [1, 1], [1, 1]],
      'satin::activate': () => [image(), null, curve()],
      'satin::norm_activate': () =>
        [image(), maybe(image), vector(), vector(), vector(), vector(), pick([true, false]), 0.1, 1e-5, null, curve(), false],
      'satin::convolve_norm_activate': () =>
        [image(), weight(), null, null, [1, 1], [1, 1], maybe(image), vector(), vector(), vector(), vector(), 1e-5, null, curve()],
      'satin::step_to_hyperplane': () => [image(), image(), examples(), pick([true, false])],
      'satin::activate_backward': () => [image(), image(), null, curve(), false],
      'satin::norm_activate_forward': () =>
        [image(), maybe(image), vector(), vector(), vector(), vector(), true, 0.1, 1e-5, null, curve(), false],
      'satin::norm_activate_backward': () =>
        [image(), image(), maybe(image), vector(), vector(), vector(), vector(), null, true, curve(), false, false],
      'satin::winograd_weights': () => [weight()],
      'satin::activate_composed': () => [image(), null, curve()],
    };
    let answered = 0, refused = 0;
    for (let call = 0; call < 10_000; call++) {
      made = [];
      own = pick([16, 32, 48, 5]);
      const at = below(operators.length);
      const operator = operators[at];
      const known = right[names[at]];
      const given = known !== undefined && below(4) > 0 ? known() : Array.from({ length: 1 + below(14) }, () => pick(values)());
      if (below(3) === 0) given[below(given.length)] = pick(values)();
      try {
        const results = [addon.call(operator, ...given)].flat();
        answered++;
        for (const result of results)
          if (typeof result === 'number' && result >= 2 ** 24) {
            made.push(result);
            if (addon.requiresGrad(result)) try { made.push(...addon.gradients([result], [given[0]], null, false, false, true).filter(Boolean)); } catch {}
          }
      } catch (error) {
        if (!['EngineError', 'InputError', 'DisposedError'].includes(error.name)) throw error;
        refused++;
      }
      addon.release(...made.slice(0, 24));
      addon.release(...made.slice(24, 48));
    }
    console.log(JSON.stringify({ answered, refused, live: addon.liveTensors() }));`,
  );
  assert.equal(ended.signal, null, ended.errors);
  assert.equal(ended.status, 0, ended.errors);
  context.diagnostic(ended.output.trim());
  const { answered } = JSON.parse(ended.output) as { answered: number };
  assert.ok(answered > 1500, ended.output);
});

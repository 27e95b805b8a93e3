/** Every tensor made in a scope is gone at its end, but for what is kept. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { native } from '../../src/engine/native.js';
import { DisposedError, InputError } from '../../src/errors.js';
import { tensor } from '../../src/tensor/create.js';
import { gradient } from '../../src/tensor/gradient.js';
import { keep, scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';

setThreads(1);

const live = () => memoryInfo().liveTensors;
const one = () => tensor(Float32Array.of(1, 2), [2]);
let start = 0;
beforeEach(() => {
  start = live();
});

describe('a scope', () => {
  it('frees what was made inside and keeps what it returns', () => {
    const kept = scope(() => {
      const sum = one().add(one()).mul(2);
      one().exp();
      return sum;
    });
    assert.equal(live(), start + 1);
    assert.deepEqual([...kept.numbers()], [4, 8]);
    kept.dispose();
    assert.equal(live(), start);
  });

  it('keeps what stands in arrays, maps and plain objects, however deep', () => {
    const kept = scope(() => {
      one();
      return { list: [one(), [one()]], map: new Map([['a', { inner: one() }]]), number: 1, nothing: null };
    });
    assert.equal(live(), start + 3);
    const [first, second] = kept.list as [Tensor, Tensor[]];
    for (const each of [first, second[0]!, kept.map.get('a')!.inner]) {
      assert.deepEqual([...each.numbers()], [1, 2]);
      each.dispose();
    }
    assert.equal(live(), start);
  });

  it('keeps a tensor that stands twice, or in an object that holds itself', () => {
    const kept = scope(() => {
      const twice = one();
      const ring: { tensors: Tensor[]; self: unknown } = { tensors: [twice, twice], self: null };
      ring.self = [ring];
      return ring;
    });
    assert.equal(live(), start + 1);
    kept.tensors[0]!.dispose();
  });

  it('frees what a set or an object of a class holds', () => {
    class Holder {
      readonly tensor = one();
    }
    const [set, holder] = scope(() => [new Set([one()]), new Holder()] as const);
    assert.equal(live(), start);
    assert.ok([...set][0]!.disposed && holder.tensor.disposed);
  });

  it('passes what it returns to the scope outside', () => {
    scope(() => {
      const inner = scope(() => scope(() => one()));
      assert.equal(live(), start + 1);
      assert.ok(!inner.disposed);
    });
    assert.equal(live(), start);
  });

  it('leaves alone what was made outside, returned or not', () => {
    const outside = one();
    assert.equal(
      scope(() => {
        outside.add(1);
        return outside;
      }),
      outside,
    );
    assert.ok(!outside.disposed);
    outside.dispose();
  });

  it('frees everything on an error, and the scope outside goes on', () => {
    scope(() => {
      const outer = one();
      assert.throws(
        () =>
          scope(() => {
            one();
            scope(() => one());
            throw new RangeError('thrown in a scope');
          }),
        /thrown in a scope/,
      );
      assert.equal(live(), start + 1);
      outer.add(1);
      assert.equal(live(), start + 2);
    });
    assert.equal(live(), start);
  });

  it('refuses an asynchronous function and frees what it made', () => {
    let made: Tensor | undefined;
    assert.throws(
      () =>
        scope(async () => {
          made = one();
        }),
      (error) => error instanceof InputError && error.code === 'asynchronous-scope',
    );
    assert.ok(made?.disposed);
    assert.equal(live(), start);
  });

  it('frees what gradients were made of, on the way back too', () => {
    scope(() => {
      const x = one().requireGrad_();
      const slope = gradient(x.exp().mul(x).sum(), x);
      assert.ok(slope.numbers()[0]! > 5);
    });
    assert.equal(live(), start);
  });
});

describe('keep', () => {
  it('takes a tensor out of its scope', () => {
    let kept: Tensor | undefined;
    scope(() => {
      kept = keep(one());
    });
    assert.deepEqual([...kept!.numbers()], [1, 2]);
    kept!.dispose();
    assert.equal(live(), start);
  });

  it('takes it out of every scope, called in an inner one too', () => {
    let kept: Tensor | undefined;
    scope(() => {
      const made = one();
      scope(() => {
        kept = keep(made);
      });
    });
    assert.ok(!kept!.disposed);
    kept!.dispose();
  });
});

describe('disposal', () => {
  it('frees at once, and twice is harmless', () => {
    const made = one();
    made.dispose();
    assert.equal(live(), start);
    made.dispose();
    made[Symbol.dispose]();
    assert.equal(live(), start);
  });

  it('comes at the end of the block with using, on an error too', () => {
    const body = () => {
      using made = one();
      made.dispose(); // once more at the end
      using other = one();
      assert.equal(live(), start + 1);
      throw new RangeError(`size ${other.size}`);
    };
    assert.throws(body, /size 2/);
    assert.equal(live(), start);
  });

  it('makes every use a DisposedError that says how to mend it', () => {
    const gone = one();
    assert.deepEqual(gone.shape, [2]); // read before: must not be answered from memory afterwards
    gone.dispose();
    const other = one();
    const uses: Readonly<Record<string, () => unknown>> = {
      shape: () => gone.shape,
      size: () => gone.size,
      dtype: () => gone.dtype,
      device: () => gone.device,
      data: () => gone.data(),
      item: () => gone.item(),
      'an operator': () => gone.add(1),
      'an operand': () => other.add(gone),
      'an operator in place': () => other.add_(gone),
      'a list': () => other.index([gone]),
      requireGrad: () => gone.requireGrad_(),
      gradient: () => gradient(gone, other),
    };
    for (const [name, use] of Object.entries(uses))
      assert.throws(
        use,
        (error) => error instanceof DisposedError && /Keep it with keep\(\)/.test(error.message),
        name,
      );
    other.dispose();
  });

  it('makes a handle stale for good, though its place in the engine is used again', () => {
    const handle = scope(() => one().handle);
    const places = Array.from({ length: 100 }, one);
    assert.throws(() => native().readData(handle), DisposedError);
    assert.ok(places.every((each) => each.handle !== handle));
    native().release(handle); // frees nobody else's
    assert.equal(live(), start + 100);
    for (const each of places) each.dispose();
  });
});

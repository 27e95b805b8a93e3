/** Whatever JavaScript does to the engine, exceptions come of it and nothing else: the process lives. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { setThreads } from '../../src/engine/engine-info.js';
import { native } from '../../src/engine/native.js';
import { DisposedError, EngineError, InputError } from '../../src/errors.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { cat, integers, tensor, zeros } from '../../src/tensor/create.js';
import { conv2d, linear, matmul } from '../../src/tensor/functional.js';
import { gradient, gradients } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { operator } from '../../src/tensor/operator.js';
import { scope } from '../../src/tensor/scope.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { child, type Ended } from '../support/child.js';
import { namedOperators } from '../support/fuzz.js';

setThreads(1);

type ErrorClass = typeof InputError | typeof EngineError | typeof DisposedError;

function throws(body: () => unknown, kind: ErrorClass, sentence: RegExp): void {
  assert.throws(
    () => scope(body),
    (error) => {
      assert.ok(error instanceof kind, `${kind.name} instead of ${error}`);
      assert.match(error.message, sentence);
      assert.doesNotMatch(error.message, /\n|Exception raised from/, 'one line and no backtrace');
      return true;
    },
  );
}

/** Calls an operator with values that the types forbid. */
function force(name: string, overload: string, ...values: readonly unknown[]): unknown {
  const call = native().call as (...values: readonly unknown[]) => unknown;
  return call(native().findOperator(name, overload), ...values);
}

describe('the exports of the engine', () => {
  it('are those of the interface Addon, in its order', () => {
    const text = readFileSync(
      fileURLToPath(new URL('../../../src/engine/addon.ts', import.meta.url)),
      'utf8',
    );
    const body = /export interface Addon \{\n(.*?)\n\}/s.exec(text)?.[1] ?? '';
    const names = [...body.matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name);
    assert.ok(names.length >= 20);
    assert.deepEqual(Object.keys(native()), names);
  });

  it('reach every operator that Satin names', () => {
    const named = namedOperators();
    assert.ok(named.length >= 70, `${named.length} operators`);
    for (const [name, overload] of named)
      assert.doesNotThrow(() => native().findOperator(name, overload), `${name} ${overload}`);
  });
});

describe('wrong values are refused with a sentence', () => {
  const x = () => zeros([2, 3]);

  it('where an operator takes another kind', () => {
    throws(
      () => force('aten::add', 'Tensor', 'text', 1),
      InputError,
      /Expected a tensor for self of aten::add\.Tensor but received a string\./,
    );
    throws(
      () => force('aten::add', 'Tensor', x().handle, {}),
      InputError,
      /Expected a tensor for other .* but received an object/,
    );
    throws(
      () => force('aten::add', 'Tensor', x().handle),
      InputError,
      /Expected a value for other of aten::add\.Tensor but received nothing/,
    );
    throws(
      () => force('aten::reshape', '', x().handle, [1.5, 4]),
      InputError,
      /Expected an integer for shape of aten::reshape but received 1\.5/,
    );
    throws(
      () => force('aten::reshape', '', x().handle, ['6']),
      InputError,
      /Expected a number for shape of aten::reshape but received a string/,
    );
    throws(
      () => force('aten::zeros', '', [2], 'float31'),
      InputError,
      /Expected a dtype \(float32, .*\) but received 'float31'/,
    );
    throws(
      () => force('aten::contiguous', '', x().handle, 'sideways'),
      InputError,
      /Expected contiguous, channels-last or preserve for memory_format/,
    );
    throws(
      () => force('aten::sum', '', x().handle, 1, 2, 3, 4),
      InputError,
      /Expected at most 2 arguments for aten::sum but received 5/,
    );
    throws(
      () => force('aten::neg', '', ...new Array(30).fill(0)),
      InputError,
      /Expected at most 24 arguments/,
    );
    throws(() => force('aten::rand', 'generator', [2], {}), InputError, /Satin passes no such argument/);
  });

  it('where a list of two numbers has another length', () => {
    const image = zeros([1, 3, 8, 8]);
    const weight = zeros([4, 3, 1, 1]);
    const convolve = (stride: unknown, padding: unknown = [0, 0]) =>
      force('satin::conv2d', '', image.handle, weight.handle, null, stride, padding);
    for (const list of [[], [1], [2], [1, 1, 1]]) {
      const sentence = new RegExp(
        `Expected 2 numbers for stride of satin::conv2d but received ${list.length}`,
      );
      throws(() => convolve(list), InputError, sentence);
    }
    throws(() => convolve(1, []), InputError, /Expected 2 numbers for padding/);
    assert.doesNotThrow(() => native().release(convolve([2, 2]) as number, convolve(2) as number));
    image.dispose();
    weight.dispose();
  });

  it('where an operator is unknown', () => {
    throws(
      () => native().findOperator('aten::no_such_thing', ''),
      EngineError,
      /Could not find schema for aten::no_such_thing/,
    );
    throws(
      () => native().call(1e6),
      InputError,
      /Expected an operator from findOperator but received 1000000/,
    );
    throws(() => native().call(-1), InputError, /Expected an operator/);
    throws(() => operator('relu')(x().handle), EngineError, /relu/);
  });

  it('where a handle names no live tensor', () => {
    for (const handle of [0, -1, 0.5, 1, 2 ** 24, 2 ** 24 + 100_000, 2 ** 52 + 1, 1e300, Number.NaN])
      throws(() => new Tensor(handle).exp(), DisposedError, /Expected a live tensor/);
  });

  it('where shapes do not fit', () => {
    throws(() => x().add(zeros([4])), EngineError, /must match the size of tensor b/);
    throws(() => x().reshape([7]), EngineError, /shape '\[7\]' is invalid/);
    throws(() => matmul(x(), x()), EngineError, /cannot be multiplied/);
    throws(() => linear(x(), zeros([2, 4])), EngineError, /./);
    throws(() => conv2d(zeros([1, 3, 4, 4]), zeros([2, 4, 3, 3])), EngineError, /channels/);
    throws(() => conv2d(zeros([1, 3, 2, 2]), zeros([2, 3, 3, 3])), EngineError, /Kernel size/);
    throws(() => cat([]), EngineError, /non-empty|at least one/);
    throws(
      () => tensor(new Float32Array(3), [2, 2]),
      InputError,
      /Expected as many numbers as the shape has but received 3 numbers for a shape of 4/,
    );
    throws(() => tensor(new Float32Array(3), [-3]), InputError, /at least 0 for shape/);
    throws(() => x().dimension(2), InputError, /Expected a dimension from 0 to 1/);
    throws(() => x().sum().dimension(0), InputError, /Expected a tensor with dimensions for dimension/);
    throws(() => x().item(), InputError, /a tensor with one element/);
  });

  it('where an index or a label is out of range', () => {
    throws(() => x().indexSelect(0, integers([2])), EngineError, /out of range/);
    throws(() => x().indexSelect(0, integers([-3])), EngineError, /out of range/);
    throws(() => x().gather(1, integers([3]).unsqueeze(0)), EngineError, /out of bounds/);
    throws(() => x().index([integers([5])]), EngineError, /out of bounds/);
    throws(() => x().narrow(0, 1, 2), EngineError, /exceeds dimension size/);
    for (const label of [3, -1])
      throws(() => crossEntropy(x(), integers([0, label])), EngineError, /Target -?\d+ is out of bounds/);
    throws(() => crossEntropy(x(), integers([0])), EngineError, /batch_size|batch size/);
  });

  it('where a dtype cannot serve', () => {
    throws(() => integers([1]).requireGrad_(), EngineError, /floating point/);
    throws(
      () => zeros([2], 'float16').data(),
      InputError,
      /JavaScript has no array for float16; convert the tensor/,
    );
    throws(
      () => noise('uniform', { key: { seed: 0, stream: 'bench' }, ids: [0], shape: [2], dtype: 'int64' }),
      InputError,
      /Expected float32 or float64/,
    );
    throws(
      () => Reflect.apply(native().fromData, undefined, [new Uint16Array(2), [2], 'cpu']),
      InputError,
      /Expected a Float32Array, .* but received another typed array/,
    );
  });

  it('where gradients are asked of what has none', () => {
    throws(() => gradient(x().sum(), x()), EngineError, /does not require grad|requires? grad/);
    throws(() => gradient(x().requireGrad_().exp(), x().requireGrad_()), EngineError, /./);
    throws(() => gradients([], []), InputError, /at least one output and one input/);
    throws(
      () => {
        const leaf = x().requireGrad_();
        const loss = leaf.exp().sum();
        gradient(loss, leaf);
        gradient(loss, leaf);
      },
      EngineError,
      /second time/,
    );
    throws(() => x().requireGrad_().add_(x()), EngineError, /in-place operation/);
    throws(() => x().requireGrad_().exp().requireGrad_(false), InputError, /detach\(\) it first/);
  });

  it('where a noise key is out of range', () => {
    const draw = (key: object, ids: readonly number[] = [0]) =>
      noise('uniform', { key: { seed: 0, stream: 'bench', ...key }, ids, shape: [1] });
    throws(() => draw({ seed: -1 }), InputError, /Expected a noise key from 0/);
    throws(() => draw({ seed: 0.5 }), InputError, /Expected an integer for the noise key/);
    throws(() => draw({ restart: 65_536 }), InputError, /from 0 to 65535 but received 65536/);
    throws(() => draw({ epoch: 2 ** 32 }), InputError, /from 0 to 4294967295/);
    throws(() => draw({}, [-1]), InputError, /ids of at least 0/);
  });

  it('where threads are no whole number of at least 1', () => {
    for (const threads of [0, -1, 1.5, Number.NaN])
      throws(() => setThreads(threads), InputError, /at least 1 for threads/);
    throws(() => setThreads(1e6), InputError, /1 to 1024 threads/);
  });

  it('where more is read at once than JavaScript’s arrays hold', () => {
    throws(
      () => zeros([1], 'uint8').expand([3e9]).data(),
      InputError,
      /Expected at most 2 GiB to read at once/,
    );
  });

  it('where an array lies about its length, or changes while it is read', () => {
    throws(
      () => zeros(new Array<number>(4_294_967_295)),
      InputError,
      /Expected a number for size .* but received nothing/,
    );
    throws(
      () => tensor(new Float32Array(1), new Array<number>(4_294_967_295)),
      InputError,
      /Expected only numbers in shape but received nothing/,
    );
    const data = new Float32Array(1 << 20);
    const shape = [0];
    Object.defineProperty(shape, 0, {
      get() {
        structuredClone(data.buffer, { transfer: [data.buffer] });
        return 1 << 20;
      },
    });
    throws(() => tensor(data, shape), InputError, /received 0 numbers for a shape of 1048576/);
    const thrown = [0];
    Object.defineProperty(thrown, 0, {
      get() {
        throw new RangeError('by the getter');
      },
    });
    assert.throws(() => zeros(thrown), /by the getter/);
  });
});

it('a view that is only marked as negated or as zero is read as what it stands for', () => {
  scope(() => {
    const x = tensor(Float32Array.of(1, -2, 3), [3]);
    const negated = new Tensor(force('aten::_neg_view', '', x.handle) as number);
    assert.deepEqual([...negated.data()], [-1, 2, -3]);
    assert.deepEqual([...negated.mul(2).numbers()], [-2, 4, -6]);
    const none = new Tensor(force('aten::_efficientzerotensor', '', [2, 2]) as number);
    assert.deepEqual([...none.data()], [0, 0, 0, 0]);
  });
});

function assertEnds(ended: Ended, expected: { status: number; output: RegExp; errors?: RegExp }): void {
  assert.equal(ended.signal, null, ended.errors);
  assert.equal(ended.status, expected.status, ended.errors);
  assert.match(ended.output, expected.output);
  assert.match(ended.errors, expected.errors ?? /^$/);
}

describe('the process lives', () => {
  it('through thousands of calls with wrong, hostile and sometimes right values', () => {
    const ended = child(
      { 'test/support/fuzz.js': 'fuzz' },
      `for (const seed of [1, 2]) console.log(JSON.stringify(fuzz({ seed, calls: 10_000 })));`,
    );
    assert.equal(ended.signal, null, ended.errors);
    assert.equal(ended.status, 0, ended.errors);
    for (const line of ended.output.trim().split('\n')) {
      const found = JSON.parse(line) as {
        thrown: Record<string, number>;
        exports: string[];
        operators: number;
      };
      const others = Object.keys(native()).filter((name) => name !== 'setErrorClasses');
      assert.deepEqual(found.exports.sort(), others.sort(), 'every export was called');
      assert.ok(found.operators >= 15, `${found.operators} operators answered`);
      // RangeError is what the hostile values throw themselves.
      const known = ['DisposedError', 'EngineError', 'InputError', 'RangeError', 'TypeError'];
      assert.deepEqual(
        Object.keys(found.thrown).filter((name) => !known.includes(name)),
        [],
      );
      assert.ok(found.thrown.InputError! > 1000 && found.thrown.DisposedError! > 100);
      assert.ok(found.thrown.EngineError! > 10);
    }
  });

  it('when the error classes are not what they should be', () => {
    const ended = child(
      { 'src/engine/native.js': 'native' },
      `const engine = native();
      const kinds = [];
      const provoke = () => { try { engine.readData(1); } catch (error) { kinds.push(String(error && error.name)); } };
      for (const wrong of [[], [1, 2, 3], [Error], [null, null, null]])
        try { engine.setErrorClasses(...wrong); } catch (error) { kinds.push(error.name); }
      class Throws { constructor() { throw new RangeError('in a constructor'); } }
      class Recursive { constructor() { engine.readData(1); } }
      for (const kind of [() => 1, Throws, Symbol, Recursive, function () { return 7; }]) {
        engine.setErrorClasses(kind, kind, kind);
        provoke();
      }
      console.log(kinds.join(' '));`,
    );
    assertEnds(ended, {
      status: 0,
      output: /^(InputError ){4}TypeError RangeError TypeError RangeError \w+\n$/,
    });
  });

  it('when a worker asks for the engine, which is refused with a sentence', async () => {
    const src = new URL('../../src/', import.meta.url).href;
    const ask = `
      const { parentPort } = require('node:worker_threads');
      (async () => {
        const said = [];
        const { native } = await import('${src}engine/native.js');
        try { native(); } catch (error) { said.push(error.name + ': ' + error.message); }
        const { packageFolder } = await import('${src}provenance/package-folder.js');
        const { binary } = JSON.parse(require('node:fs').readFileSync(packageFolder + '/native/build/engine.json', 'utf8'));
        try { require(packageFolder + '/' + binary); } catch (error) { said.push(error.name + ': ' + error.message); }
        parentPort.postMessage(said);
      })();`;
    const inWorker = () =>
      new Promise<readonly string[]>((resolve, reject) => {
        let said: readonly string[] = [];
        new Worker(ask, { eval: true })
          .on('message', (message: readonly string[]) => {
            said = message;
          })
          .on('error', reject)
          .on('exit', () => resolve(said));
      });
    for (let i = 0; i < 3; i++)
      assert.deepEqual(await inWorker(), [
        'EngineError: Satin runs on the main thread only, because a terminating worker would crash the process with its engine.',
        "Error: Satin's engine works on the main thread only; it was loaded in a worker.",
      ]);
    assert.equal(
      scope(() => zeros([3]).add(1).sum().item()),
      3,
    );
  });

  it('when a worker is the first to load the binary, and ends', () => {
    const ended = child(
      {
        'node:worker_threads': 'Worker',
        'src/provenance/package-folder.js': 'packageFolder',
        'src/tensor/create.js': 'zeros',
      },
      `const ask = \`
        import { readFileSync } from 'node:fs';
        import { createRequire } from 'node:module';
        const { binary } = JSON.parse(readFileSync('\${packageFolder}/native/build/engine.json', 'utf8'));
        try { createRequire('\${packageFolder}/')('./' + binary); } catch (error) { console.log(error.message); }\`;
      await new Promise((resolve) => new Worker(ask, { eval: true }).on('exit', resolve));
      console.log(zeros([3]).add(1).sum().item());`,
    );
    assertEnds(ended, { status: 0, output: /^Satin's engine works on the main thread only; .*\n3\n$/ });
  });
});

describe('the process ends as JavaScript says', () => {
  const imports = {
    'src/tensor/create.js': 'zeros',
    'src/tensor/scope.js': 'scope',
    'src/tensor/gradient.js': 'gradient, noGrad',
  };
  const work = `
    const live = Array.from({ length: 50 }, () => zeros([100, 100]).requireGrad_());
    const graph = live.reduce((a, b) => a.add(b.exp()));
    globalThis.slope = gradient(graph.sum(), live[0]);`;

  it('with live tensors and graphs: exit code 0', () =>
    assertEnds(child(imports, `${work}\nconsole.log(slope.shape.join());`), {
      status: 0,
      output: /^100,100\n$/,
    }));

  it('by process.exit inside a scope', () =>
    assertEnds(child(imports, `${work}\nscope(() => noGrad(() => { zeros([9]); process.exit(7); }));`), {
      status: 7,
      output: /^$/,
    }));

  it('by an exception that nobody caught', () =>
    assertEnds(child(imports, `${work}\nscope(() => { throw new Error('nobody catches this'); });`), {
      status: 1,
      output: /^$/,
      errors: /nobody catches this/,
    }));

  it('by a rejection, and from an exit handler that uses tensors', () => {
    const body = `${work}
      process.on('exit', () => { console.log(zeros([2]).add(1).sum().item()); live[3].dispose(); });
      await Promise.reject(new Error('rejected'));`;
    assertEnds(child(imports, body), { status: 1, output: /^2\n$/, errors: /rejected/ });
  });
});

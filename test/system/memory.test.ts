/** The memory rule of docs/memory.md. */
import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { parseAttack } from '../../src/attacks/attack.js';
import { type NormName, norms } from '../../src/attacks/norms.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { EngineError, InputError } from '../../src/errors.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import { tensor, zeros } from '../../src/tensor/create.js';
import { noGrad } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import { adversarial } from '../../src/training/objectives/adversarial.js';
import { clean } from '../../src/training/objectives/objective.js';
import { blobs, smallModel, training } from '../support/blobs.js';
import { child } from '../support/child.js';

setThreads(1);

const live = () => memoryInfo().liveTensors;
const one = () => tensor(Float32Array.of(1, 2), [2]);
let start = 0;
beforeEach(() => {
  start = live();
});

describe('bytes', () => {
  it('are counted while a tensor lives, and once for what shares them', () => {
    const bytes = memoryInfo().liveBytes;
    const made = zeros([1000, 1000]);
    const grown = memoryInfo().liveBytes - bytes;
    assert.ok(grown >= 4e6 && grown <= 4.6e6, `${grown} bytes for 4,000,000`);
    const flat = made.reshape([-1]);
    const view = flat.narrow(0, 5, 10);
    assert.equal(memoryInfo().liveBytes - bytes, grown);
    made.dispose();
    view.dispose();
    assert.equal(memoryInfo().liveBytes - bytes, grown, 'a view keeps its bytes');
    assert.equal(live(), start + 1);
    flat.dispose(); // or the collector frees it during a later test, which counts
    assert.equal(live(), start);
  });

  it('of a training step are all given back', () => {
    const dataset = blobs(64);
    using model = smallModel(dataset);
    using steps = training(model, dataset, clean());
    steps.step();
    const idle = memoryInfo();
    for (let i = 0; i < 5; i++) steps.step();
    assert.deepEqual(
      { live: memoryInfo().liveTensors, bytes: memoryInfo().liveBytes },
      { live: idle.liveTensors, bytes: idle.liveBytes },
    );
  });
});

describe('the live-tensor count stays as it was', () => {
  const dataset = blobs(64);

  for (const norm of Object.keys(norms) as NormName[])
    for (const batchNorm of ['eval', 'train'] as const)
      it(`after a step of adversarial training in ${norm}, batch norm in ${batchNorm} mode in the attack`, () => {
        using model = smallModel(dataset);
        const epsilon = norm === 'linf' ? 0.05 : 0.5;
        const attack = {
          norm: norms[norm],
          epsilon,
          steps: 3,
          stepSize: epsilon / 2,
          start: { kind: 'uniform' } as const,
          batchNorm,
        };
        using steps = training(model, dataset, adversarial({ attack }));
        steps.step(); // makes the velocities
        const idle = live();
        for (let i = 0; i < 3; i++) steps.step();
        assert.equal(live(), idle);
      });

  it('after an evaluation', async () => {
    using model = smallModel(dataset);
    using data = new DatasetTensors(dataset);
    const idle = live();
    {
      using folded = model.fold();
      for (const norm of Object.values(norms))
        await evaluate({ exact: model.classify, fast: folded.classify }, data, {
          attacks: ['fgsm', 'pgd-3-2'].map(parseAttack),
          threat: { norm, epsilon: 0.1 },
          seed: 0,
          batch: 24,
        });
    }
    assert.equal(live(), idle);
  });

  it('after a step that failed', () => {
    using model = smallModel(dataset);
    using data = new DatasetTensors(dataset);
    const idle = live();
    const batch = data.batch([0, 1]);
    const wrong = { ...batch, labels: batch.labels.add(100) };
    assert.throws(
      () =>
        clean().computeGradients(model, wrong, {
          seed: 0,
          epoch: 1,
          step: 0,
          stepsPerEpoch: 1,
          part: 0,
          first: 0,
        }),
      EngineError,
    );
    for (const each of [batch.x, batch.labels, wrong.labels]) each.dispose();
    assert.equal(live(), idle);
  });
});

describe('the net below', () => {
  const imports = {
    'src/tensor/create.js': 'zeros',
    'src/tensor/scope.js': 'scope, keep',
    'src/engine/engine-info.js': 'memoryInfo, setThreads',
  };

  it('frees tensors that were dropped without being disposed of, and only those', () => {
    const { status, output, errors } = child(
      imports,
      `setThreads(1);
      const held = zeros([10]);
      const drop = () => {
        for (let i = 0; i < 100; i++) { zeros([1000]); scope(() => zeros([1000])); scope(() => { keep(zeros([1000])); }); }
      };
      drop();
      const dropped = memoryInfo().liveTensors;
      for (let i = 0; i < 50 && memoryInfo().liveTensors > 1; i++) {
        globalThis.gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      console.log(dropped, memoryInfo().liveTensors, held.numbers().length);`,
      { flags: ['--expose-gc'] },
    );
    assert.equal(errors, '');
    assert.equal(status, 0);
    assert.equal(output.trim(), '301 1 10');
  });

  it('frees nothing twice where a tensor was disposed of before', () => {
    const { status, output, errors } = child(
      imports,
      `setThreads(1);
      (() => { for (let i = 0; i < 100; i++) zeros([10]).dispose(); })();
      const others = Array.from({ length: 100 }, () => zeros([10]));
      for (let i = 0; i < 20; i++) {
        globalThis.gc();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      console.log(memoryInfo().liveTensors, others.every((each) => each.size === 10));`,
      { flags: ['--expose-gc'] },
    );
    assert.equal(errors, '');
    assert.equal(status, 0);
    assert.equal(output.trim(), '100 true');
  });
});

describe('the memory limits', () => {
  const imports = {
    'src/engine/native.js': 'native',
    'src/tensor/create.js': 'zeros',
    'src/engine/engine-info.js': 'memoryInfo, emptyCache, setThreads',
  };
  // In a process of its own, and one for all: to start an engine takes longer than to ask.
  const body = `
    setThreads(1);
    const limits = (cache, total) => { emptyCache(); native().setMemoryLimits(cache, total); };
    const refusal = (size) => {
      try { return zeros([size]); } catch (error) { return error.name + ': ' + error.message; }
    };
    const said = {};

    said.terabyte = refusal(2 ** 38);
    limits(1e6, 50e6);
    said.above = refusal(100e6);
    const held = zeros([10e6]);
    said.together = refusal(10e6);
    held.dispose();
    zeros([10e6]).dispose();
    said.works = memoryInfo().liveTensors;

    limits(1e9, 1e9);
    zeros([10e6]).dispose();
    said.cached = memoryInfo().cachedBytes;
    native().setMemoryLimits(1e9, 20e6);
    said.fromCache = refusal(10e6);

    limits(10e6, 1e9);
    for (const each of Array.from({ length: 20 }, () => zeros([250e3]))) each.dispose();
    said.bounded = memoryInfo().cachedBytes;
    native().setMemoryLimits(1e6, 1e9);
    said.lowered = memoryInfo().cachedBytes;
    zeros([1000]).dispose();
    emptyCache();
    said.emptied = [memoryInfo().cachedBytes, memoryInfo().liveBytes];

    limits(50e6, 50e6);
    zeros([10e6]).dispose();
    said.full = memoryInfo().cachedBytes;
    const larger = zeros([11e6]);
    said.gaveWay = memoryInfo().cachedBytes;
    larger.dispose();
    console.log(JSON.stringify(said));`;
  let said: Readonly<Record<string, unknown>> = {};
  before(() => {
    const { status, output, errors } = child(imports, body);
    assert.equal(errors, '');
    assert.equal(status, 0);
    said = JSON.parse(output) as typeof said;
  });
  const number = (name: string) => Number(said[name]);

  it('refuse what is larger than the machine, or than what is left, with a sentence', () => {
    assert.match(
      String(said.terabyte),
      /^EngineError: Not enough memory for aten::zeros of \[274877906944\]: 1048576 MiB asked for/,
    );
    assert.equal(
      said.above,
      'EngineError: Not enough memory for aten::zeros of [100000000]: 382 MiB asked for, 0 MiB in use by tensors, 47 MiB left of the 48 MiB that setMemoryLimits allows. A smaller batch, network or image needs less.',
    );
    assert.match(
      String(said.together),
      /^EngineError: .* 39 MiB asked for, 39 MiB in use by tensors, 9 MiB left of the 48 MiB/,
    );
    assert.equal(said.works, 0, 'and go on working');
  });
  it('hold for memory that is kept for later too', () => {
    assert.ok(number('cached') >= 40e6);
    assert.match(String(said.fromCache), /^EngineError: Not enough memory/);
  });
  it('bound what is kept for later, and emptyCache gives it back', () => {
    assert.ok(number('bounded') > 5e6 && number('bounded') <= 10e6, `${number('bounded')} bytes`);
    assert.ok(number('lowered') <= 1e6);
    assert.deepEqual(said.emptied, [0, 0]);
  });
  it('let go of what is kept before they refuse', () => {
    assert.ok(number('full') >= 40e6);
    assert.equal(said.gaveWay, 0);
  });
});

describe('SATIN_POISON=1', () => {
  it('makes memory that was never written NaN', () => {
    const read = `const empty = operator('aten::empty', 'memory_format');
      const made = one(empty, [1000], 'float32');
      console.log(made.numbers().every(Number.isNaN));
      made.dispose();
      console.log(one(empty, [1000], 'float64').numbers().every(Number.isNaN));`;
    const imports = { 'src/tensor/operator.js': 'operator', 'src/tensor/tensor.js': 'one' };
    const { output, errors } = child(imports, read, { env: { SATIN_POISON: '1' } });
    assert.equal(errors, '');
    assert.equal(output, 'true\ntrue\n');
    const without = child(imports, read, { env: { SATIN_POISON: '0' } });
    assert.match(without.output, /false/);
  });

  it('changes no number of training: nothing is read before it is written', () => {
    const imports = {
      'src/engine/engine-info.js': 'setThreads',
      'src/attacks/norms.js': 'norms',
      'src/training/objectives/adversarial.js': 'adversarial',
      'test/support/blobs.js': 'blobs, smallModel, training',
    };
    const train = `setThreads(1);
      const dataset = blobs(64);
      for (const [norm, batchNorm, activation] of [['linf', 'eval', 'relu'], ['l2', 'train', 'silu']]) {
        const model = smallModel(dataset, { activation });
        const attack = { norm: norms[norm], epsilon: 0.1, steps: 2, stepSize: 0.1, start: { kind: 'uniform' }, batchNorm };
        const steps = training(model, dataset, adversarial({ attack }));
        const losses = Array.from({ length: 6 }, () => steps.step());
        const weights = [...model.network.state()].map(([, each]) => each.numbers().reduce((a, b) => a + b, 0));
        console.log(JSON.stringify({ losses, weights }));
      }`;
    const [clean, poisoned] = ['0', '1'].map((SATIN_POISON) =>
      child(imports, train, { env: { SATIN_POISON } }),
    );
    assert.equal(poisoned!.errors, '');
    assert.match(poisoned!.output, /"losses":\[1\./);
    assert.equal(poisoned!.output, clean!.output);
    assert.doesNotMatch(poisoned!.output, /null/, 'JSON of NaN');
  });
});

describe('grad mode', () => {
  it('refuses asynchronous functions and is what it was afterwards', () => {
    assert.throws(
      () => noGrad(async () => 1),
      (error) => error instanceof InputError && error.code === 'asynchronous-grad-mode',
    );
    scope(() => {
      const x = one().requireGrad_();
      assert.ok(x.add(1).requiresGrad);
      assert.ok(!noGrad(() => x.add(1)).requiresGrad);
      assert.throws(() => noGrad(() => x.reshape([7])), EngineError);
      assert.ok(x.add(1).requiresGrad);
    });
  });
});

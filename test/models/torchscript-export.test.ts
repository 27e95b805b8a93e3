/** Satin's networks as TorchScript: what is written computes the same, with every activation, and holds nothing of Satin's. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { activationNames } from '../../src/activations/parse.js';
import { openModel } from '../../src/app/model/open-model.js';
import { memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import type { ModelDescription } from '../../src/models/description.js';
import { Model } from '../../src/models/model.js';
import { exportTorchScript } from '../../src/models/torchscript-export.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { integers, zeros } from '../../src/tensor/create.js';
import { gradient } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { traceScript } from '../../src/tensor/torchscript-trace.js';
import { zipRecords } from '../../src/weights/zip.js';
import { lively } from '../support/lively-model.js';

setThreads(1);
const temporary = mkdtempSync(join(tmpdir(), 'satin-export-'));
after(() => rmSync(temporary, { recursive: true }));

const description: ModelDescription = {
  architecture: 'resnet8',
  width: 1,
  activation: 'relu',
  classes: ['a', 'b', 'c'],
  shape: [3, 8, 8],
  normalise: { mean: [0.5, 0.45, 0.4], std: [0.25, 0.2, 0.3] },
};

const network = (change: Partial<ModelDescription> = {}) => lively({ ...description, ...change });

const draw = (count: number) =>
  noise('uniform', {
    key: { seed: 3, stream: 'bench' },
    ids: Array.from({ length: count }, (_, id) => id),
    shape: description.shape,
  });

function answer(classify: (x: Tensor) => Tensor, count: number) {
  return scope(() => {
    const x = draw(count).requireGrad_();
    const logits = classify(x);
    const labels = integers(Array.from({ length: count }, (_, at) => at % 3));
    const slope = gradient(crossEntropy(logits, labels, { reduction: 'none' }).sum(), x);
    return { logits: logits.numbers(), gradient: slope.numbers() };
  });
}

/** The largest difference, as a part of the largest number. */
function off(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  const largest = Math.max(...Array.from(wanted, Math.abs));
  return Math.max(...Array.from(wanted, (value, at) => Math.abs(value - found[at]!))) / largest;
}

describe('a network written as TorchScript', () => {
  for (const activation of [...activationNames, 'softplus(10)', 'smooth-relu(3)'])
    it(`answers and differentiates as it did, in batches of any size: ${activation}`, (context) => {
      const path = join(temporary, 'network.pt');
      using model = network({ activation });
      const difference = exportTorchScript(model, path);
      using opened = openModel(path);
      const count = 7;
      const [own, written] = [model.classify, opened.classify].map((classify) => answer(classify, count));
      const apart = {
        logits: off(written!.logits, own!.logits),
        gradient: off(written!.gradient, own!.gradient),
      };
      context.diagnostic(
        `logits ${apart.logits.toExponential(1)}, gradient ${apart.gradient.toExponential(1)}`,
      );
      assert.ok(difference <= 2e-6 && apart.logits <= 2e-6, String(difference));
      assert.ok(apart.gradient <= 1e-5);
    });

  for (const architecture of [
    'preact-resnet18',
    'wideresnet28-10',
    'resnet50',
    'resnext50-32x4d',
    'efficientnet-b0',
  ] as const)
    it(`of another architecture: ${architecture}`, () => {
      const path = join(temporary, 'other.pt');
      using model = Model.create(
        { ...description, architecture, width: 0.05, activation: 'silu', shape: [3, 32, 32] },
        { seed: 2 },
      );
      assert.ok(exportTorchScript(model, path) <= 1e-4);
    });

  it('holds its tensors under PyTorch’s names, each once', () => {
    const path = join(temporary, 'names.pt');
    using model = network({ activation: 'psilu' });
    exportTorchScript(model, path);
    const names = [...zipRecords(path)!.keys()];
    assert.ok(names.includes('archive/constants.pkl') && names.includes('archive/data.pkl'));
    const arrays = names.filter((name) => name.startsWith('archive/data/'));
    assert.equal(arrays.length, model.network.state().size + 2);
    const text = readFileSync(path, 'latin1');
    assert.doesNotMatch(text, /satin::/);
    for (const name of ['running_mean', 'layer1', 'normalize', 'training'])
      assert.ok(text.includes(name), name);
  });

  it('without normalisation has none', () => {
    const path = join(temporary, 'plain.pt');
    using model = network({ normalise: null });
    exportTorchScript(model, path);
    assert.ok(!readFileSync(path, 'latin1').includes('normalize'));
  });

  it('leaves no file but its own, and no tensor', () => {
    const folder = mkdtempSync(join(temporary, 'alone-'));
    using model = network();
    exportTorchScript(model, join(folder, 'a.pt'));
    const before = memoryInfo();
    exportTorchScript(model, join(folder, 'b.pt'));
    assert.deepEqual(readdirSync(folder).sort(), ['a.pt', 'b.pt']);
    assert.equal(memoryInfo().liveTensors, before.liveTensors);
    assert.equal(memoryInfo().liveBytes, before.liveBytes);
    assert.ok([...model.network.parameters().values()].every((each) => each.requiresGrad));
  });

  it('is not kept where it would compute something else', () => {
    const folder = mkdtempSync(join(temporary, 'wrong-'));
    using model = network();
    // A number that is read out of a tensor is the same for ever in a trace.
    const { classify } = model;
    const baked = (x: Tensor) => classify(x).add(x.mean([0, 1, 2, 3]).item());
    Object.defineProperty(model, 'classify', { value: baked });
    assert.throws(
      () => exportTorchScript(model, join(folder, 'a.pt')),
      /differs from the model by .*it was discarded/,
    );
    assert.deepEqual(readdirSync(folder), []);
  });
});

describe('a trace', () => {
  const trace = (forward: (x: Tensor) => Tensor) =>
    scope(() => traceScript({ parameters: new Map(), buffers: new Map(), example: draw(2), forward }));

  it('passes on what is thrown in it, and the next one works', () => {
    const thrown = () => {
      throw new RangeError('mine');
    };
    assert.throws(() => trace(thrown), RangeError);
    const path = join(temporary, 'trace.pt');
    writeFileSync(
      path,
      trace((x) => x.mean([2, 3])),
    );
    using opened = openModel(path);
    assert.ok(off(answer(opened.classify, 3).logits, answer((x) => x.mean([2, 3]), 3).logits) < 1e-6);
  });

  it('of an operator that only Satin has is refused', () => {
    using model = network();
    using folded = model.fold();
    scope(() => void folded.classify(zeros([1, ...model.description.shape]))); // it is compiled for the first images
    assert.throws(() => trace(folded.classify), /satin::run_plan has no implementation for a trace/);
  });
});

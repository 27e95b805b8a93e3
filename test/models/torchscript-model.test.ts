/** Networks that PyTorch saved as TorchScript (test/golden/torchscript, made by scripts/golden/torchscript.py). */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { evaluateRun } from '../../src/app/evaluate/evaluate-run.js';
import { type AttackableModel, functionModel, openModel } from '../../src/app/model/open-model.js';
import { subset } from '../../src/data/dataset.js';
import { engineInfo, memoryInfo, setThreads } from '../../src/engine/engine-info.js';
import { native } from '../../src/engine/native.js';
import { DisposedError, InputError } from '../../src/errors.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { integers, ones } from '../../src/tensor/create.js';
import { gradient, noGrad } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { TorchScript } from '../../src/tensor/torchscript.js';
import { blobs } from '../support/blobs.js';
import { child } from '../support/child.js';
import { largestDifference } from '../support/close.js';
import { fromGolden, type GoldenTensor, readGolden } from '../support/golden.js';

process.env.SATIN_MOCK_DEVICE = '1';
setThreads(1);

const folder = fileURLToPath(new URL('../../../test/golden/torchscript/', import.meta.url));
const file = (name: string) => join(folder, name);
const own = openModel(file('resnet8.safetensors'));
const normalise = { mean: [0.5, 0.45], std: [0.25, 0.2] };
const input = { range: [0, 1], normalise } as const;
const traced = openModel(file('traced.pt'), { preprocessing: input });
const scripted = openModel(file('scripted.pt'), { preprocessing: input });
const temporary = mkdtempSync(join(tmpdir(), 'satin-torchscript-'));
after(() => {
  for (const model of [own, traced, scripted]) model[Symbol.dispose]();
  rmSync(temporary, { recursive: true });
});

const draw = (shape: readonly [number, ...number[]]) =>
  noise('uniform', {
    key: { seed: 3, stream: 'bench' },
    ids: Array.from({ length: shape[0] }, (_, id) => id),
    shape: shape.slice(1),
  });

/** Logits and the gradient of the summed cross-entropy. */
function answer({ classify }: Pick<AttackableModel, 'classify'>, images: Tensor, labels: Tensor) {
  const x = images.detach().requireGrad_();
  const logits = classify(x);
  const slope = gradient(crossEntropy(logits, labels, { reduction: 'none' }).sum(), x);
  return { logits: logits.numbers(), gradient: slope.numbers() };
}

interface Case {
  readonly name: string;
  readonly images: GoldenTensor;
  readonly labels: readonly number[];
  readonly logits: GoldenTensor;
  readonly gradient: GoldenTensor;
}

const largest = (numbers: readonly number[]) => Math.max(...numbers.map(Math.abs));

describe('a TorchScript network', () => {
  const { cases } = readGolden<{ cases: Case[] }>('torchscript');
  for (const { name, images, labels, ...golden } of cases)
    for (const [kind, model] of Object.entries({ traced, scripted, own }))
      it(`that was ${kind} answers as PyTorch does: ${name}`, (context) => {
        const found = scope(() => answer(model, fromGolden(images, 'float32'), integers(labels)));
        const off = (which: 'logits' | 'gradient') =>
          largestDifference(found[which], golden[which].values) / largest(golden[which].values);
        context.diagnostic(
          `logits ${off('logits').toExponential(1)}, gradient ${off('gradient').toExponential(1)}`,
        );
        assert.ok(off('logits') <= 1e-5);
        assert.ok(off('gradient') <= 1e-4);
      });

  it('is the same each time, to the bit, however large the batches between', () => {
    scope(() => {
      const x = draw([8, 2, 8, 8]);
      const labels = integers([0, 1, 2, 3, 0, 1, 2, 3]);
      const first = answer(traced, x, labels);
      for (const count of [8, 3, 8, 1, 5, 8]) {
        const again = answer(traced, x.narrow(0, 0, count), labels.narrow(0, 0, count));
        if (count === 8) assert.deepEqual(again, first);
      }
    });
  });

  it('computes where it is brought, wherever it was saved', () => {
    for (const device of ['cpu', 'mock']) {
      using model = openModel(file('on-a-card.pt'), { device });
      scope(() => {
        const x = ones([2, 3, 4, 4], 'float32', device).mul(0.5).requireGrad_();
        const logits = model.classify(x);
        assert.deepEqual([logits.device, [...logits.numbers()]], [device, [1.5, 3, 4.5, 6, 1.5, 3, 4.5, 6]]);
        const slope = gradient(logits.sum(), x);
        assert.ok(slope.numbers().every((each) => Math.abs(each - 10 / 48) < 1e-6));
      });
    }
  });

  it('gives no gradient to its own weights', () => {
    scope(() => {
      assert.equal(noGrad(() => traced.classify(draw([2, 2, 8, 8]))).requiresGrad, false);
      assert.equal(traced.classify(draw([2, 2, 8, 8])).requiresGrad, false);
      assert.equal(traced.classify(draw([2, 2, 8, 8]).requireGrad_()).requiresGrad, true);
    });
  });

  it('is left where it was by forward and backward passes: no tensor stays, and no memory', () => {
    const pass = () =>
      scope(() => {
        answer(traced, draw([16, 2, 8, 8]), integers(Array.from({ length: 16 }, (_, at) => at % 4)));
      });
    for (let warm = 0; warm < 5; warm++) pass();
    const before = memoryInfo();
    for (let step = 0; step < 100; step++) pass();
    const { liveTensors, liveBytes } = memoryInfo();
    assert.equal(liveTensors, before.liveTensors);
    assert.equal(liveBytes, before.liveBytes);
  });

  it('gives its memory back when it is disposed of, and is refused then', () => {
    const before = memoryInfo().liveBytes;
    const script = TorchScript.load(file('traced.pt'));
    assert.ok(memoryInfo().liveBytes > before + 30_000, 'its weights are in the engine’s memory');
    script.dispose();
    script.dispose();
    assert.equal(memoryInfo().liveBytes, before);
    scope(() => assert.throws(() => script.forward(draw([2, 2, 8, 8])), DisposedError));
    for (const number of [-1, 1e6])
      scope(() => assert.throws(() => native().runScript(number, draw([1, 2, 8, 8]).handle), DisposedError));
  });

  it('runs on the thread that calls it, and starts none', { skip: process.platform !== 'linux' }, () => {
    const { status, output, errors } = child(
      {
        'src/app/model/open-model.js': 'openModel',
        'src/tensor/create.js': 'zeros',
        'src/engine/engine-info.js': 'setThreads',
        'src/tensor/gradient.js': 'gradient',
      },
      `import { readdirSync } from 'node:fs';
       setThreads(1);
       const model = openModel(${JSON.stringify(file('scripted.pt'))});
       const x = zeros([8, 2, 8, 8]).requireGrad_();
       const before = readdirSync('/proc/self/task').length;
       gradient(model.classify(x).sum(), x);
       console.log(readdirSync('/proc/self/task').length - before);`,
      { env: { SATIN_MOCK_DEVICE: '0' } }, // autograd would start a thread for it
    );
    assert.equal(status, 0, errors);
    assert.equal(output, '0\n');
  });
});

const data = subset(
  blobs(712),
  Array.from({ length: 200 }, (_, at) => 512 + at),
); // none of those that it was trained on
const measure = (model: AttackableModel, attacks: readonly string[]) =>
  evaluateRun({
    model,
    data,
    attacks,
    norm: 'linf',
    epsilon: { epsilon: 0.02, epsilonText: '0.02' },
    seed: 0,
    batch: 100,
    interrupted: () => false,
  });

describe('a network in PyTorch’s file', () => {
  for (const attack of ['pgd-10', 'apgd-ce'])
    it(`gets the verdicts of the same network inside Satin under ${attack}`, async (context) => {
      const [{ result: here }, { result: there }] = [
        await measure(own, [attack]),
        await measure(scripted, [attack]),
      ];
      const verdicts = here.perExample.map(({ clean, brokenBy }) => `${clean} ${brokenBy}`);
      const same = there.perExample.filter(
        ({ clean, brokenBy }, at) => `${clean} ${brokenBy}` === verdicts[at],
      );
      context.diagnostic(
        `robust ${here.robust} and ${there.robust}, ${same.length} of 200 verdicts are the same`,
      );
      assert.ok(
        here.clean > 0.8 && here.robust > 0.1 && here.robust < 0.7,
        `clean ${here.clean}, robust ${here.robust}`,
      );
      assert.ok(same.length >= 199);
    });

  it('is a function’s equal: the same result for the same classifier', async () => {
    const { result } = await measure(functionModel({ name: 'mine', classify: own.classify }), ['fgsm']);
    const { result: known } = await measure(
      {
        ...own,
        forAttacks: () => ({ classify: own.classify, ranBy: 'operators', [Symbol.dispose]: () => {} }),
      },
      ['fgsm'],
    );
    assert.equal(result.model, 'mine');
    assert.equal(result.modelDigest, 'function:mine');
    assert.deepEqual(result.perExample, known.perExample);
  });
});

describe('what is no network to be measured', () => {
  const old = Number(engineInfo().libtorch.split('.')[0]) < 2;
  const refused = (name: string, sentence: RegExp) => () =>
    assert.throws(
      () => openModel(name.startsWith('/') ? name : file(name))[Symbol.dispose](),
      (error: InputError) => {
        assert.match(error.message, sentence);
        return error instanceof InputError && error.exitCode === 2;
      },
    );
  const damaged = (name: string, change: (bytes: Buffer) => Uint8Array) => {
    const path = join(temporary, name);
    writeFileSync(path, change(readFileSync(file('traced.pt'))));
    return path;
  };
  const weights = /Expected `external` for .*it holds weights without a network/;
  it('a state dict', refused('state-dict.pt', weights));
  it('a state dict of before PyTorch 1.6', refused('state-dict-1.5.pt', weights));
  it('a program of torch.export', refused('exported.pt2', /It contains a program saved by torch\.export/));
  it('two inputs', refused('two-inputs.pt', /forward takes one tensor, the images, for .* but received 2/));
  it(
    'a file that is cut short',
    refused(
      damaged('cut.pt', (bytes) => bytes.subarray(0, 50_000)),
      /an undamaged TorchScript file/,
    ),
  );
  it(
    'a zip of something else',
    refused(
      damaged('other.pt', (bytes) =>
        Buffer.from(
          bytes
            .toString('latin1')
            .replaceAll('constants.pkl', 'constants.txt')
            .replaceAll('data.pkl', 'data.txt'),
          'latin1',
        ),
      ),
      /It contains no TorchScript program/,
    ),
  );
  it(
    'a text',
    refused(
      damaged('text.pt', () => Buffer.from('hello')),
      /or a TorchScript file for the model but received '/,
    ),
  );
  it(
    'an empty file',
    refused(
      damaged('empty.pt', () => Buffer.alloc(0)),
      /or a TorchScript file for the model/,
    ),
  );
  it(
    'no file',
    refused(join(temporary, 'nowhere.pt'), /for the model but received '.*'\. The file does not exist\./),
  );
  it(
    'a file for a newer libtorch, and which one reads it',
    { skip: old ? false : 'this libtorch knows the operator' },
    refused(
      'newer.pt',
      /that libtorch 1\.13\.0 can read but .*: Unknown builtin op: aten::rms_norm\. Use the libtorch of the PyTorch version that saved it: set LIBTORCH/,
    ),
  );

  for (const [name, sentence] of [
    [
      'flat-28.pt',
      /flat-28\.pt to run on images of shape \[32, 2, 8, 8\] but mat1 and mat2 shapes cannot be multiplied/,
    ],
    ['raises.pt', /on images of shape \[32, 2, 8, 8\] but builtins\.ValueError: seven channels, please\.$/],
    ['pair.pt', /but it returns a Tuple and no tensor\.$/],
    [
      'nan.pt',
      /Expected finite logits for the model but received NaN\. The logits of all 32 images tested are not finite/,
    ],
    ['one-class.pt', /Expected at least two classes for the model but received 1\./],
    [
      'three-classes.pt',
      /Expected a model of 4 classes, as blobs:test has, for the model but received 'one of 3'/,
    ],
  ] as const)
    it(`${name}, once it is shown images`, async () => {
      using model = openModel(file(name));
      const before = memoryInfo().liveTensors;
      await assert.rejects(measure(model, ['fgsm']), (error: InputError) => {
        assert.match(error.message, sentence);
        return error.exitCode === 2;
      });
      assert.equal(memoryInfo().liveTensors, before);
    });

  it('a function of other classes than the data, which is told before any attack', async () => {
    const classify = (x: Tensor) => x.mean([2, 3]); // two channels, two classes
    await assert.rejects(measure(functionModel({ name: 'two', classify }), ['fgsm']), /a model of 4 classes/);
  });
});

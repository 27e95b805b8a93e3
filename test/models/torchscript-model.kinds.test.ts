/** TorchScript files that do more than compute, or that answer otherwise than with finite float32 logits. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { evaluateRun } from '../../src/app/evaluate/evaluate-run.js';
import { type AttackableModel, functionModel, openModel } from '../../src/app/model/open-model.js';
import { type Dataset, subset } from '../../src/data/dataset.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { InputError } from '../../src/errors.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { integers, tensor } from '../../src/tensor/create.js';
import { gradient } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { largestDifference } from '../support/close.js';
import { fromGolden, type GoldenTensor, readGolden } from '../support/golden.js';

setThreads(1);

const folder = fileURLToPath(new URL('../../../test/golden/torchscript-kinds/', import.meta.url));
const file = (name: string) => join(folder, `${name}.pt`);
const draw = (count: number) =>
  noise('uniform', {
    key: { seed: 5, stream: 'bench' },
    ids: Array.from({ length: count }, (_, id) => id),
    shape: [2, 8, 8],
  });

describe('a TorchScript file that does more than compute is refused before any of it runs', () => {
  for (const [name, operator] of [
    ['writes-file', 'aten::from_file'],
    ['deep', 'aten::save'],
    ['prints', 'prim::Print'],
    ['on-load', '__setstate__'],
  ] as const)
    it(`${name}, which names ${operator}`, () => {
      assert.throws(
        () => openModel(file(name)),
        (error) =>
          error instanceof InputError &&
          error.code === 'script-refused' &&
          error.message.includes(operator) &&
          error.message.includes(file(name)),
      );
      assert.equal(existsSync('written-by-a-model'), false);
    });

  it('but not one that warns: its warning is left out', () => {
    using warns = openModel(file('warns'));
    using net = openModel(file('net'));
    scope(() => {
      const x = draw(3);
      assert.deepEqual(warns.classify(x).numbers(), net.classify(x).numbers());
    });
  });
});

describe('the output of a TorchScript file', () => {
  it('is converted from half precision', () => {
    using net = openModel(file('net'));
    for (const [name, tolerance] of [
      ['half', 1e-3],
      ['bfloat', 1e-2],
    ] as const) {
      using model = openModel(file(name));
      scope(() => {
        const logits = model.classify(draw(4));
        assert.equal(logits.dtype, 'float32');
        const expected = [...net.classify(draw(4)).numbers()];
        assert.ok(
          largestDifference(logits.numbers(), expected) <= tolerance * Math.max(...expected.map(Math.abs)),
        );
      });
    }
  });

  it('is refused where it is no dense tensor of floating-point numbers', () => {
    for (const [name, sentence] of [
      ['long', /Expected logits as floating-point numbers for the output of .*long\.pt but received 'int64'/],
      ['bool', /received 'bool'/],
      ['complex', /it returns complex numbers/],
      ['sparse', /it returns a sparse or packed tensor/],
    ] as const) {
      using model = openModel(file(name));
      scope(() =>
        assert.throws(
          () => model.classify(draw(2)),
          (error) => error instanceof InputError && sentence.test(error.message),
        ),
      );
    }
  });

  it('needs any batch: a size in the trace is named', () => {
    using model = openModel(file('baked'));
    scope(() => {
      assert.equal(model.classify(draw(8)).dimension(0), 8);
      assert.throws(
        () => model.classify(draw(3)),
        /its trace has a size of 8 in it, which may be that of its batch/,
      );
    });
  });

  it('is refused after optimize_for_inference, which PyTorch cannot read either', () => {
    assert.throws(
      () => openModel(file('optimised')),
      /optimize_for_inference, and PyTorch cannot read it either/,
    );
  });
});

it('a model that writes into its images changes a copy', () => {
  using writes = openModel(file('writes'));
  using net = openModel(file('net'));
  const mine = functionModel({ name: 'mine', classify: (x) => net.classify(x.mul_(2)) });
  for (const [model, same] of [
    [writes, (x: Tensor) => x.sub(0.5).mul(2)],
    [mine, (x: Tensor) => x.mul(2)],
  ] as const)
    scope(() => {
      const x = draw(3).requireGrad_();
      const before = [...x.numbers()];
      const logits = model.classify(x);
      gradient(logits.sum(), x);
      assert.deepEqual([...x.numbers()], before);
      const expected = net.classify(same(draw(3))).numbers();
      assert.ok(largestDifference(logits.numbers(), [...expected]) < 1e-5);
    });
});

describe('attention that PyTorch traced', () => {
  const { cases } = readGolden<{
    cases: { name: string; images: GoldenTensor; logits: GoldenTensor; gradient: GoldenTensor }[];
  }>('attention');
  for (const { name, images, ...golden } of cases)
    it(`gives PyTorch's logits and gradient: ${name}`, () => {
      using model = openModel(file(name));
      scope(() => {
        const x = fromGolden(images, 'float32').requireGrad_();
        const logits = model.classify(x);
        const slope = gradient(crossEntropy(logits, integers([0, 1, 2, 3]), { reduction: 'none' }).sum(), x);
        for (const [found, { values }] of [
          [logits, golden.logits],
          [slope, golden.gradient],
        ] as const)
          assert.ok(largestDifference(found.numbers(), values) <= 1e-5 * Math.max(...values.map(Math.abs)));
      });
    });
});

/** Random images, labelled by the network itself. */
function own({ classify }: AttackableModel, count: number): Dataset {
  return scope(() => {
    const bytes = Uint8Array.from(draw(count).mul(255).numbers(), Math.round);
    const x = tensor(
      Float32Array.from(bytes, (each) => each / 255),
      [count, 2, 8, 8],
    );
    return {
      name: 'random',
      classes: ['a', 'b', 'c', 'd'],
      shape: [2, 8, 8],
      images: bytes,
      labels: Uint8Array.from(classify(x).argmax(1).numbers(), Number),
      ids: Uint32Array.from({ length: count }, (_, id) => id),
      order: 'file',
      warnings: [],
    };
  });
}

describe('an evaluation', () => {
  const net = openModel(file('net'));
  const data = own(net, 24);
  net[Symbol.dispose]();
  const measure = async (name: string, attacks: readonly string[], images = data) => {
    using model = openModel(file(name));
    return (
      await evaluateRun({
        model,
        data: images,
        attacks,
        norm: 'l2',
        epsilon: { epsilon: 2, epsilonText: '2' },
        seed: 0,
        batch: 24,
        interrupted: () => false,
      })
    ).result;
  };

  it('is refused where an attack needs a gradient and there is none, with the line that mends it', async () => {
    await assert.rejects(
      measure('fast-path', ['pgd-5', 'square']),
      (error) =>
        error instanceof InputError &&
        error.code === 'no-gradient' &&
        /pgd-5/.test(error.message) &&
        error.message.includes('torch.backends.mha.set_fastpath_enabled(False)'),
    );
    const { flags } = await measure('fast-path', ['square'], subset(data, [0]));
    assert.ok(flags.some(({ code }) => code === 'zero-gradients'));
  });

  it('runs to the end with a logit of −∞, and looks no better for it', async () => {
    for (const attacks of [['pgd-5'], ['apgd-t'], ['apgd-dlr'], ['fab'], ['fab-t']]) {
      const { flags, attacks: results, perExample } = await measure('masked', attacks);
      assert.ok(flags.some(({ code }) => code === 'logits-not-finite'));
      const plain = await measure('net', attacks);
      const stands = (index: number) => plain.perExample[index]!.brokenBy === null;
      const kept = perExample.filter(({ label, clean }) => label !== 3 && clean);
      const robust = kept.filter(({ brokenBy }) => brokenBy === null);
      // The class that is left out can no longer be reached, so that an example may stand for that reason alone.
      assert.ok(
        robust.length <= kept.filter(({ id }) => stands(id)).length + 2,
        `${attacks}: ${robust.length}`,
      );
      assert.ok(results[0]!.broken > 0, `${attacks} broke nothing`);
    }
  });

  it('counts NaN as misclassified, and no example as robust on which no gradient was a number', async () => {
    for (const attacks of [['pgd-5'], ['apgd-ce'], ['fab']]) {
      const { flags, robust, perExample } = await measure('unknown', attacks);
      const codes = flags.map(({ code }) => code);
      assert.ok(codes.includes('gradient-not-finite') && codes.includes('blind-attack'), codes.join());
      assert.equal(robust, 0);
      assert.ok(
        perExample.some(({ clean, brokenBy, blind }) => clean && brokenBy === null && blind === true),
      );
    }
  });
});

it('has golden files of no other machine', () => {
  for (const name of readdirSync(folder))
    assert.doesNotMatch(
      readFileSync(join(folder, name), 'latin1'),
      /\/(work|tmp|root|home|site-packages)\//,
      name,
    );
});

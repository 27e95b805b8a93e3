/**
 * The kernels of native/cuda and the operators that start them, against the CPU's own: on a graphics card if the engine has one,
 * else by an emulator on the CPU, which does not show what a card does. And compiled by NVRTC where LIBNVRTC names its
 * library, which needs no card.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { setThreads } from '../../../src/engine/engine-info.js';
import { integers, ones, tensor } from '../../../src/tensor/create.js';
import { type ActivationKind, activationArgument, type Curve } from '../../../src/tensor/functional.js';
import { noise, streams } from '../../../src/tensor/noise.js';
import { handles, operator } from '../../../src/tensor/operator.js';
import { scope } from '../../../src/tensor/scope.js';
import { type Dtype, one, Tensor } from '../../../src/tensor/tensor.js';
import { assertClose, type Tolerance } from '../../support/close.js';
import { buildNvrtcCheck } from '../../support/cuda/build.js';
import { bothWays, isCard, loadKernels } from '../../support/cuda/operators.js';
import { coefficientsOf, curveOf, kinds } from '../../support/curves.js';
import { normals } from '../../support/finite-differences.js';

setThreads(2);

const activate = bothWays('activate', [0, 1]);
const activateBackward = bothWays('activate_backward', [0, 1, 2]);
const normActivate = bothWays('norm_activate', [0, 1, 2, 3, 4, 5, 9], [4, 5]);
const normForward = bothWays('norm_activate_forward', [0, 1, 2, 3, 4, 5, 9], [4, 5]);
const normBackward = bothWays('norm_activate_backward', [0, 1, 2, 3, 4, 5, 6, 7]);
const step = bothWays('step_to_hyperplane', [0, 1, 2]);
const composedBackward = operator('satin_emulated::activate_backward_composed');
const drawNoise = operator('satin_emulated::noise');

type Call = ReturnType<typeof operator>;
const tensors = (call: Call, ...values: Parameters<Call>): (Tensor | null)[] =>
  handles(call(...values)).map((handle) => (handle === null ? null : new Tensor(handle)));
const orNothing = (each: Tensor | null | undefined) => each?.handle;

/** Half the distance of neighbouring numbers, with what a sum of float32 adds to it. */
const tolerances: Readonly<Record<string, Tolerance>> = {
  float32: { relative: 2e-6, absolute: 1e-6 },
  float64: { relative: 1e-13, absolute: 1e-14 },
  bfloat16: { relative: 2 ** -8, absolute: 1e-6 },
  float16: { relative: 2 ** -11, absolute: 1e-6 },
};
const computed = (dtype: Dtype): Dtype => (dtype === 'float64' ? 'float64' : 'float32');

const numbersOf = (each: Tensor): Float64Array => each.to('float64').numbers() as Float64Array;
function assertSame(actual: Tensor, expected: Tensor, tolerance: Tolerance, name: string): void {
  assert.deepEqual(actual.shape, expected.shape, name);
  const [is, should] = [numbersOf(actual), numbersOf(expected)];
  for (const [place, number] of should.entries())
    if (Number.isNaN(number) && Number.isNaN(is[place]!)) is[place] = should[place] = 0;
  assertClose(is, should, tolerance, name);
}
/** A tolerance for sums, relative to the largest. */
function relativeToLargest(expected: Tensor, factor: number): Tolerance {
  const largest = numbersOf(expected).reduce((most, each) => Math.max(most, Math.abs(each) || 0), 0);
  return { relative: factor, absolute: factor * Math.max(1, largest) };
}

const learnedOf = (kind: ActivationKind, dtype: Dtype): Tensor =>
  tensor(Float64Array.from(coefficientsOf[kind]), [coefficientsOf[kind].length]).to(dtype);
const learning = kinds.filter((kind) => coefficientsOf[kind].length > 0);

const extremes = [
  0,
  -0,
  1,
  -1,
  1e-8,
  -1e-8,
  3e38,
  -3e38,
  88,
  -88,
  1e-40,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
];

/** Views of one sort or another; sizes that no pack divides, and addresses at which none may start. */
const layouts: Readonly<Record<string, (dtype: Dtype) => Tensor>> = {
  'a row': (dtype) => normals([2051], 1).mul(3).to(dtype),
  'no start of a pack': (dtype) => normals([1030], 2).mul(3).to(dtype).narrow(0, 1, 1027),
  'channels last': (dtype) => normals([2, 3, 5, 7], 3).mul(3).to(dtype).contiguous('channels-last'),
  permuted: (dtype) => normals([5, 3, 7], 4).mul(3).to(dtype).permute([2, 0, 1]),
  'every second': (dtype) => normals([9, 14], 5).mul(3).to(dtype).slice(1, 1, 14, 2),
  'one number': (dtype) => normals([], 6).to(dtype),
  nothing: (dtype) => normals([4, 3], 7).to(dtype).narrow(0, 0, 0),
  extremes: (dtype) => tensor(Float64Array.from(extremes), [extremes.length]).to(dtype),
};

/** dx, and the coefficients' gradients; of half precision what float32 gives. */
function slopes(
  call: Call,
  dy: Tensor,
  x: Tensor,
  coefficients: Tensor | undefined,
  argument: number[],
): readonly [Tensor, Tensor | null] {
  const isLearning = coefficients !== undefined && argument.length === 3;
  const [dx, sums] = tensors(call, dy.handle, x.handle, coefficients?.handle, argument, isLearning);
  return [dx!, sums!];
}

const skipOnCard = isCard ? 'an operator of the emulator' : false;

describe(`kernels of CUDA, ${isCard ? 'on a graphics card' : 'emulated'}`, () => {
  before(loadKernels);

  for (const kind of kinds)
    it(`${kind}: values and slopes of every dtype and layout are the CPU's`, () => {
      for (const dtype of ['float32', 'float64', 'bfloat16', 'float16'] as const)
        for (const [layout, make] of Object.entries(layouts))
          scope(() => {
            const x = make(dtype);
            const wide = x.to(computed(dtype));
            const name = `${kind} ${dtype} ${layout}`;
            const argument = activationArgument(curveOf(kind));
            const y = one(activate.cuda, x.handle, undefined, argument);
            const expected = one(activate.cpu, wide.handle, undefined, argument).to(dtype);
            assert.equal(y.dtype, dtype);
            assertSame(y, expected, tolerances[dtype]!, `values of ${name}`);

            const dy = normals(x.shape, 8).to(dtype);
            const [dx] = slopes(activateBackward.cuda, dy, x, undefined, argument);
            const [wideDx] = slopes(activateBackward.cpu, dy.to(wide.dtype), wide, undefined, argument);
            assertSame(dx, wideDx.to(dtype), tolerances[dtype]!, `slopes of ${name}`);
          });
    });

  for (const kind of learning)
    it(`${kind}: learned coefficients are read on the card, and get their gradient`, () => {
      for (const dtype of ['float32', 'float64', 'bfloat16', 'float16'] as const)
        for (const [layout, make] of Object.entries(layouts)) {
          if (layout === 'extremes') continue; // infinite sums
          scope(() => {
            const x = make(dtype);
            const wide = x.to(computed(dtype));
            const coefficients = learnedOf(kind, wide.dtype);
            const argument = activationArgument({ kind, a: 77, b: 0.5 }); // ignored
            const name = `${kind} ${dtype} ${layout}`;
            const y = one(activate.cuda, x.handle, coefficients.handle, argument);
            const expected = one(activate.cpu, wide.handle, coefficients.handle, argument).to(dtype);
            assertSame(y, expected, tolerances[dtype]!, `values of ${name}`);
            const dy = normals(x.shape, 8).to(dtype);
            const [dx, sums] = slopes(activateBackward.cuda, dy, x, coefficients, argument);
            const wideDy = dy.to(wide.dtype);
            const [wideDx, wideSums] = slopes(activateBackward.cpu, wideDy, wide, coefficients, argument);
            assertSame(dx, wideDx.to(dtype), tolerances[dtype]!, `slopes of ${name}`);
            assert.equal(sums!.dtype, wide.dtype);
            const near = relativeToLargest(wideSums!, dtype === 'float64' ? 1e-12 : 3e-6);
            assertSame(sums!, wideSums!, near, `coefficients of ${name}`);
          });
        }
    });

  it('sums more numbers than the grid has threads, twice the same', () =>
    scope(() => {
      const x = normals([1_100_003], 1).to('float32');
      const dy = normals(x.shape, 2).to('float32');
      const coefficients = learnedOf('pssilu', 'float32');
      const argument = activationArgument(curveOf('pssilu'));
      const [dx, sums] = slopes(activateBackward.cuda, dy, x, coefficients, argument);
      const [dxCpu, sumsCpu] = slopes(activateBackward.cpu, dy, x, coefficients, argument);
      assertSame(dx, dxCpu, tolerances.float32!, 'slopes');
      assertSame(sums!, sumsCpu!, relativeToLargest(sumsCpu!, 1e-6), 'coefficients');
      const [, again] = slopes(activateBackward.cuda, dy, x, coefficients, argument);
      assert.deepEqual(again!.numbers(), sums!.numbers());
    }));

  it('takes coefficients of the dtype of x in half precision too', () =>
    scope(() => {
      const x = normals([100], 1).to('bfloat16');
      const coefficients = learnedOf('psilu', 'bfloat16');
      const argument = activationArgument(curveOf('psilu'));
      const y = one(activate.cuda, x.handle, coefficients.handle, argument);
      const expected = one(activate.cuda, x.handle, undefined, argument);
      assert.deepEqual(numbersOf(y), numbersOf(expected));
      const [, sums] = slopes(activateBackward.cuda, x, x, coefficients, argument);
      assert.equal(sums!.dtype, 'bfloat16');
    }));

  it('differentiates half precision a second time in float32', { skip: skipOnCard }, () => {
    for (const kind of learning)
      scope(() => {
        const [x, dy] = [normals([50], 1).to('bfloat16'), normals([50], 2).to('bfloat16')];
        const argument = activationArgument(curveOf(kind));
        const coefficients = learnedOf(kind, 'float32');
        const [dx, sums] = slopes(composedBackward, dy, x, coefficients, argument);
        const [kernelDx, kernelSums] = slopes(activateBackward.cuda, dy, x, coefficients, argument);
        assert.equal(dx.dtype, 'bfloat16');
        assertSame(dx, kernelDx, tolerances.bfloat16!, kind);
        assertSame(sums!, kernelSums!, relativeToLargest(kernelSums!, 1e-5), kind);
      });
  });

  it('makes NaN of what is computed with a learned coefficient out of range', () => {
    const out: readonly (readonly [ActivationKind, readonly number[]])[] = [
      ['softplus', [0]],
      ['elu', [-1]],
      ['celu', [0]],
      ['smooth-relu', [-0.5]],
      ['pssilu', [-1, 0.25]],
      ['pssilu', [1, 1]],
    ];
    for (const [kind, numbers] of out)
      scope(() => {
        const x = normals([64], 1)
          .abs()
          .mul(kind === 'smooth-relu' ? 1 : -1)
          .to('float32');
        const coefficients = tensor(Float32Array.from(numbers), [numbers.length]);
        const y = one(activate.cuda, x.handle, coefficients.handle, activationArgument(curveOf(kind)));
        assert.ok(y.numbers().every(Number.isNaN), kind);
      });
  });

  it('backpropagates through the derivative of another activation', () => {
    for (const kind of kinds)
      scope(() => {
        const x = normals([333], 1).mul(3).to('float32');
        const dy = normals(x.shape, 2).to('float32');
        const argument = activationArgument(curveOf(kind), { kind: 'softplus', a: 4 });
        const [dx] = slopes(activateBackward.cuda, dy, x, undefined, argument);
        const [expected] = slopes(activateBackward.cpu, dy, x, undefined, argument);
        assertSame(dx, expected, tolerances.float32!, kind);
      });
  });

  interface NormChoice {
    readonly shape: readonly [number, number, number, number];
    readonly dtype: 'float32' | 'bfloat16';
    readonly train: boolean;
    readonly residual: boolean;
    readonly curve: Curve;
    readonly derivative?: Curve;
    readonly learns?: boolean;
    readonly statistics?: boolean;
    /** Numbers before the first, so that the memory does not start where it was allocated. */
    readonly skip?: number;
  }

  /** Both ways forward and backward, compared. */
  function assertNorm(choice: NormChoice): void {
    const {
      shape,
      dtype,
      train,
      residual,
      curve,
      derivative,
      learns = false,
      statistics = true,
      skip = 0,
    } = choice;
    const [images, channels, height, width] = shape;
    const name = JSON.stringify(choice);
    scope(() => {
      const image = (salt: number) =>
        normals([skip + images * height * width * channels], salt)
          .to(dtype)
          .narrow(0, skip, images * height * width * channels)
          .reshape([images, height, width, channels])
          .permute([0, 3, 1, 2]);
      const wide = (each: Tensor) => each.to('float32').contiguous('channels-last');
      const vector = (salt: number) => normals([channels], salt).to('float32');
      const [x, added, dy] = [image(1), residual ? image(2) : undefined, image(3)];
      const [weight, bias] = [vector(4).abs().add(0.5), vector(5)];
      const moving = () => (statistics ? [vector(6), vector(7).abs().add(0.5)] : [null, null]);
      const coefficients = learns ? learnedOf(curve.kind, 'float32') : undefined;
      const argument = activationArgument(curve, derivative);
      const run = (isCuda: boolean) => {
        const [forward, backward] = isCuda
          ? [normForward.cuda, normBackward.cuda]
          : [normForward.cpu, normBackward.cpu];
        const as = (each: Tensor) => (isCuda ? each : wide(each));
        const [mean, variance] = moving();
        const taken = added === undefined ? undefined : as(added);
        const kept = tensors(
          forward,
          ...[as(x).handle, taken?.handle, weight.handle, bias.handle, orNothing(mean), orNothing(variance)],
          ...[train, 0.1, 1e-5, coefficients?.handle, argument, false],
        ) as Tensor[];
        const [y, ...vectors] = kept as [Tensor, ...Tensor[]];
        const found = tensors(
          backward,
          ...[as(dy).handle, as(x).handle, taken?.handle, ...vectors.map((each) => each.handle)],
          ...[coefficients?.handle, train, argument, false, learns && derivative === undefined],
        );
        return { y, vectors, moving: [mean, variance], found };
      };
      const [actual, expected] = [run(true), run(false)];
      const rounding = dtype === 'float32' ? 0 : 2 ** -8;
      const size = images * height * width < 10 ? 1e-4 : 4e-6; // few rows vary little: large numbers cancel
      assert.equal(actual.y.dtype, dtype);
      assertSame(actual.y, expected.y, { relative: 4e-6 + rounding, absolute: size }, `output of ${name}`);
      for (const [place, each] of expected.vectors.entries())
        assertSame(
          actual.vectors[place]!,
          each,
          { relative: 2e-6, absolute: 2e-6 },
          `vector ${place} of ${name}`,
        );
      for (const [place, each] of expected.moving.entries())
        if (each != null)
          assertSame(
            actual.moving[place]!,
            each,
            { relative: 1e-6, absolute: 1e-6 },
            `statistics ${place} of ${name}`,
          );
      for (const [place, each] of expected.found.entries()) {
        const is = actual.found[place]!;
        assert.equal(is === null, each === null, `gradient ${place} of ${name}`);
        if (each === null) continue;
        const { relative, absolute } = relativeToLargest(each, size);
        const rounded = place < 2 ? rounding : 0;
        assertSame(is!, each, { relative: relative + rounded, absolute }, `gradient ${place} of ${name}`);
      }
      const alone = one(
        normActivate.cuda,
        ...[x.handle, added?.handle, weight.handle, bias.handle, ...moving().map(orNothing)],
        ...[train, 0.1, 1e-5, coefficients?.handle, argument],
      );
      assert.deepEqual(numbersOf(alone), numbersOf(actual.y), `without a gradient, ${name}`);
      for (const [place, each] of run(true).found.entries())
        if (each !== null)
          assert.deepEqual(
            numbersOf(each),
            numbersOf(actual.found[place]!),
            `bits of gradient ${place} of ${name}`,
          );
    });
  }

  const shapes = [
    [2, 1, 3, 3],
    [3, 3, 4, 5],
    [2, 8, 5, 3],
    [4, 16, 6, 6],
    [2, 17, 2, 2],
    [2, 300, 3, 2],
  ] as const;
  const wide = [
    [8, 33, 16, 16],
    [2, 1028, 2, 2],
    [1, 515, 1, 1],
    [3, 4, 9, 30],
  ] as const;

  for (const kind of kinds)
    for (const dtype of ['float32', 'bfloat16'] as const)
      it(`${kind}, ${dtype}: batch norm, residual and activation are the CPU's`, () => {
        for (const train of [true, false])
          for (const residual of [true, false]) {
            const choice = { dtype, train, residual, curve: curveOf(kind) };
            const tried = kind === 'silu' ? [...shapes, ...wide] : shapes.slice(2, 5);
            for (const shape of tried) assertNorm({ ...choice, shape });
            assertNorm({ ...choice, shape: shapes[2], derivative: { kind: 'softplus', a: 4 } });
            if (learning.includes(kind))
              for (const shape of shapes.slice(2, 5)) assertNorm({ ...choice, shape, learns: true });
          }
      });

  it('normalises without statistics to move, and at addresses where no pack may start', () => {
    const curve = curveOf('silu');
    for (const dtype of ['float32', 'bfloat16'] as const)
      for (const residual of [true, false]) {
        assertNorm({ shape: [3, 8, 2, 2], dtype, train: true, residual, curve, statistics: false });
        for (const train of [true, false])
          assertNorm({ shape: [3, 8, 2, 1], dtype, train, residual, curve, skip: 1 });
      }
  });

  it('goes through more rows than a thread adds up in float32', () =>
    assertNorm({
      shape: [1, 1028, 70, 70],
      dtype: 'float32',
      train: true,
      residual: false,
      curve: curveOf('silu'),
    }));

  // x * scale alone is 1e5, of which float32 keeps 0.008.
  it('keeps a mean far from 0 from eating the variance', () =>
    scope(() => {
      const x = normals([4, 8, 5, 5], 1).mul(0.01).add(1000).to('float32').contiguous('channels-last');
      const [weight, bias] = [ones([8]), ones([8]).mul(0)];
      const values = [
        x.handle,
        undefined,
        weight.handle,
        bias.handle,
        undefined,
        undefined,
        true,
        0.1,
        1e-5,
      ] as const;
      const rest = [undefined, activationArgument({ kind: 'identity' }), false] as const;
      const actual = tensors(normForward.cuda, ...values, ...rest);
      const expected = tensors(normForward.cpu, ...values, ...rest);
      assertSame(actual[0]!, expected[0]!, { relative: 0, absolute: 0.01 }, 'output');
    }));

  it('falls back where the kernels do not serve, and refuses what is not theirs', () =>
    scope(() => {
      const x = normals([2, 4, 3, 3], 1).to('float32'); // channels first
      const [weight, bias] = [ones([4]), ones([4])];
      const values = [
        x.handle,
        undefined,
        weight.handle,
        bias.handle,
        undefined,
        undefined,
        true,
        0.1,
        1e-5,
      ] as const;
      const rest = [undefined, activationArgument(curveOf('gelu'))] as const;
      const [actual, expected] = [normActivate.cuda, normActivate.cpu].map((call) =>
        one(call, ...values, ...rest),
      );
      assertSame(actual!, expected!, { relative: 1e-5, absolute: 1e-6 }, 'channels first');
      assert.throws(
        () => normForward.cuda(...values, ...rest, false),
        /Expected float32 or bfloat16 with channels last for the fused batch norm/,
      );
    }));

  for (const euclidean of [true, false])
    for (const dtype of ['float32', 'float64'] as const)
      it(`steps to hyperplanes as the CPU does: ${euclidean ? 'l2' : 'linf'}, ${dtype}`, () =>
        scope(() => {
          for (const shape of [
            [12, 3, 7, 5],
            [3, 3, 19, 19],
            [2, 1, 1, 1],
            [0, 3, 2, 2],
          ]) {
            const pixels = normals(shape, 1).mul(0.7).add(0.5).clamp(0, 1).to(dtype);
            const w = normals(shape, 2).mul(normals(shape, 3).greater(-1).to('float64')).to(dtype);
            const excess = normals([shape[0]!], 4).pow(3).mul(10).to(dtype);
            const call = (by: Call, x: Tensor, weights: Tensor) =>
              one(by, x.handle, weights.handle, excess.handle, euclidean);
            const found = call(step.cuda, pixels, w);
            const tolerance = { relative: 0, absolute: dtype === 'float32' ? 2e-6 : 1e-13 };
            assertSame(found, call(step.cpu, pixels, w), tolerance, `${shape}`);
            const turned = call(step.cuda, pixels, w.contiguous('channels-last'));
            assertSame(turned, found, tolerance, `${shape}, channels last`);
          }
        }));

  it('ends where a weight or an excess is no number', () =>
    scope(() => {
      const x = normals([2, 3, 4, 4], 1).abs().clamp(0, 1).to('float32');
      const [w, excess] = [normals(x.shape, 2).to('float32'), normals([2], 3).to('float32')];
      for (const euclidean of [true, false])
        for (const [weights, far] of [
          [w.mul(Number.NaN), excess],
          [w, excess.mul(Number.NaN)],
          [w.mul(Number.POSITIVE_INFINITY), excess],
        ] as const)
          step.cuda(x.handle, weights.handle, far.handle, euclidean);
    }));

  it('draws the same noise of the same keys', { skip: skipOnCard }, () => {
    for (const distribution of ['uniform', 'normal'] as const)
      for (const dtype of ['float32', 'float64'] as const)
        for (const shape of [[3, 5, 7], [16, 4], [1], [0]])
          scope(() => {
            const ids = [0, 5, 2 ** 40, 3];
            const key = {
              seed: 12345678901,
              stream: 'attack',
              epoch: 3,
              restart: 2,
              rank: 1,
              step: 9,
            } as const;
            const expected = noise(distribution, { key, ids, shape, dtype });
            const found = one(
              drawNoise,
              distribution === 'normal',
              [key.seed, streams[key.stream], key.epoch, key.restart, key.rank, key.step],
              integers(ids).handle,
              expected.handle,
            );
            assert.deepEqual(found.numbers(), expected.numbers(), `${distribution} ${dtype} ${shape}`);
          });
  });
});

describe('kernels of CUDA, compiled by NVRTC', () => {
  const library = process.env.LIBNVRTC;
  const skip = library === undefined ? 'LIBNVRTC names no libnvrtc.so' : false;
  it('every kernel of every activation and dtype', { skip }, async (context) => {
    const capabilities = (process.env.CAPABILITIES ?? '75 80 90').split(' ');
    const program = await buildNvrtcCheck();
    context.diagnostic(execFileSync(program, [library!, ...capabilities], { encoding: 'utf8' }).trim());
  });
});

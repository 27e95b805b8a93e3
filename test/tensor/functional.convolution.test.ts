/** Convolutions by Winograd's method (channels-last float32) against libtorch's in float64. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setThreads } from '../../src/engine/engine-info.js';
import { cat } from '../../src/tensor/create.js';
import { conv2d, convolveNormActivate, normActivate, winogradWeights } from '../../src/tensor/functional.js';
import { gradient, gradients, noGrad } from '../../src/tensor/gradient.js';
import { operator } from '../../src/tensor/operator.js';
import { scope } from '../../src/tensor/scope.js';
import { type Dtype, one, type Tensor } from '../../src/tensor/tensor.js';
import { assertClose } from '../support/close.js';
import { normals } from '../support/finite-differences.js';

setThreads(2);

interface Shape {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
}

const libtorchs = operator('aten::conv2d');

const xOf = ({ images, height, width, inputs }: Shape) =>
  normals([images, inputs, height, width], 1).to('float32').contiguous('channels-last');
const weightOf = ({ inputs, outputs }: Shape, kernel = 3) =>
  normals([outputs, inputs, kernel, kernel], 2).to('float32').contiguous('channels-last');
const ours = (x: Tensor, weight: Tensor) => conv2d(x, weight, { padding: 1 });

/** Output and gradients of x and weight for a random upstream gradient, and the gradient of |∂/∂x|² by the weight. */
function derivatives(shape: Shape, dtype: Dtype): Float64Array[] {
  const x = xOf(shape).to(dtype).detach().requireGrad_();
  const weight = weightOf(shape).to(dtype).detach().requireGrad_();
  const output = ours(x, weight);
  const upstream = normals(output.shape, 3).to('float32').to(dtype);
  const options = { outputGradients: [upstream] };
  const slopes = gradients([output], [x, weight], { ...options, retainGraph: true });
  const again = gradients([output], [x], { ...options, createGraph: true })[0]!;
  const second = gradient(again.mul(again).sum(), weight);
  return [output, ...slopes, second].map((each) => each.numbers());
}

/** Every difference is at most `relative` of the largest number. */
function assertNear(
  actual: ArrayLike<number>,
  expected: Float64Array,
  options: { readonly relative: number; readonly name: string },
): void {
  const largest = expected.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  assertClose(actual, expected, { relative: 0, absolute: options.relative * largest }, options.name);
}

const shapes: readonly Shape[] = [
  { images: 2, height: 32, width: 32, inputs: 16, outputs: 16 },
  { images: 3, height: 16, width: 16, inputs: 32, outputs: 32 },
  { images: 3, height: 8, width: 8, inputs: 64, outputs: 64 },
  { images: 5, height: 4, width: 4, inputs: 128, outputs: 128 },
  { images: 1, height: 28, width: 28, inputs: 16, outputs: 32 },
  { images: 5, height: 7, width: 7, inputs: 48, outputs: 80 },
  { images: 2, height: 3, width: 11, inputs: 32, outputs: 16 },
  { images: 2, height: 9, width: 6, inputs: 80, outputs: 64 },
  // so many that threads share out the outputs of the weights' gradient, unequally
  { images: 3, height: 7, width: 6, inputs: 96, outputs: 144 },
];

const nameOf = ({ images, height, width, inputs, outputs }: Shape) =>
  `${inputs} to ${outputs} channels, ${images} images of ${height}x${width}`;

describe('a 3x3 convolution by Winograd’s method', () => {
  for (const shape of shapes)
    it(`has libtorch’s values, gradients and second derivatives: ${nameOf(shape)}`, () =>
      scope(() => {
        const exact = derivatives(shape, 'float64');
        for (const [place, numbers] of derivatives(shape, 'float32').entries()) {
          const name = ['the output', 'gradient of x', 'gradient of the weight', 'the second derivative'][
            place
          ]!;
          assertNear(numbers, exact[place]!, { relative: 1e-5, name });
        }
      }));

  it('is what runs: its last bits are its own', () =>
    scope(() => {
      const [shape] = shapes;
      const [x, weight] = [xOf(shape!), weightOf(shape!)];
      const theirs = one(libtorchs, x.handle, weight.handle, undefined, [1, 1], [1, 1]);
      assert.notDeepEqual(ours(x, weight).numbers(), theirs.numbers());
    }));

  it('gives an image the same bits in every batch, at every place in it, with every number of threads', () =>
    scope(() => {
      for (const shape of shapes) {
        const x = xOf({ ...shape, images: 5 });
        const weight = weightOf(shape);
        const run = (images: Tensor) => {
          const leaf = images.detach().requireGrad_();
          const output = ours(leaf, weight);
          return { output: output.detach(), slope: gradient(output.mul(output).sum(), leaf) };
        };
        const whole = run(x);
        for (let place = 0; place < 5; place++) {
          const alone = run(x.narrow(0, place, 1));
          assert.deepEqual(alone.output.numbers(), whole.output.narrow(0, place, 1).numbers());
          assert.deepEqual(alone.slope.numbers(), whole.slope.narrow(0, place, 1).numbers());
        }
        const turned = run(cat([4, 2, 0, 1, 3].map((place) => x.narrow(0, place, 1))));
        assert.deepEqual(turned.slope.narrow(0, 1, 1).numbers(), whole.slope.narrow(0, 2, 1).numbers());
        for (const threads of [1, 3]) {
          setThreads(threads);
          const other = run(x);
          assert.deepEqual(other.output.numbers(), whole.output.numbers());
          assert.deepEqual(other.slope.numbers(), whole.slope.numbers());
        }
        setThreads(2);
      }
    }));

  it('has the gradient of its weights with any number of threads, and the same bits each time', () =>
    scope(() => {
      for (const shape of [shapes[0]!, shapes.at(-1)!]) {
        const run = (dtype: Dtype) => {
          const weight = weightOf(shape).to(dtype).detach().requireGrad_();
          const output = conv2d(xOf(shape).to(dtype), weight, { padding: 1 });
          return gradient(output.mul(output).sum(), weight).numbers();
        };
        const exact = run('float64');
        for (const threads of [1, 3, 8, 2]) {
          setThreads(threads);
          const found = run('float32');
          assertNear(found, exact, { relative: 1e-5, name: `${threads} threads` });
          assert.deepEqual(run('float32'), found);
        }
      }
    }));

  it('passes NaN on', () =>
    scope(() => {
      const [shape] = shapes;
      const x = xOf(shape!);
      noGrad(() => x.narrow(2, 5, 1).mul_(Number.NaN));
      const rows = ours(x, weightOf(shape!)).numbers();
      for (const row of [4, 5, 6]) assert.ok(Number.isNaN(rows[row * 32 + 7]), `row ${row}`);
    }));
});

describe('a 1x1 convolution that skips places, where oneDNN writes beyond its memory', () => {
  it('has the output and the gradients of one in float64, and leaves other memory alone', () =>
    scope(() => {
      for (const [inputs, outputs] of [
        [8, 16],
        [4, 8],
      ] as const) {
        const shape = { images: 4, height: 64, width: 64, inputs, outputs };
        const run = (dtype: Dtype) => {
          const x = xOf(shape).to(dtype).detach().requireGrad_();
          const weight = weightOf(shape, 1).to(dtype).detach().requireGrad_();
          const output = conv2d(x, weight, { stride: 2 });
          assert.deepEqual(output.shape, [4, outputs, 32, 32]);
          return [output, ...gradients([output.mul(output).sum()], [x, weight])].map((each) =>
            each.numbers(),
          );
        };
        const exact = run('float64');
        // With libtorch's own convolution the process seldom outlives as many.
        for (let time = 0; time < 20; time++)
          for (const [place, numbers] of run('float32').entries())
            assertNear(numbers, exact[place]!, { relative: 1e-5, name: `${inputs} to ${outputs}, ${place}` });
      }
    }));
});

describe('a convolution with batch norm, residual and activation behind it', () => {
  const norm = (channels: number) => ({
    weight: normals([channels], 5).to('float32'),
    bias: normals([channels], 6).to('float32'),
    runningMean: normals([channels], 7).to('float32'),
    runningVariance: normals([channels], 8).pow(2).add(0.1).to('float32'),
    epsilon: 1e-5,
  });
  const apart = { train: false, momentum: 0 } as const;

  for (const shape of shapes)
    it(`has the same bits as one after the other: ${nameOf(shape)}`, () =>
      scope(() => {
        const [x, weight] = [xOf(shape), weightOf(shape)];
        const convolution = { weight, stride: 1, padding: 1 };
        const { images, height, width, outputs } = shape;
        const residual = normals([images, outputs, height, width], 9)
          .to('float32')
          .contiguous('channels-last');
        for (const curve of [{ kind: 'silu' }, { kind: 'identity' }] as const)
          for (const added of [undefined, residual]) {
            const options = { ...norm(outputs), curve, residual: added };
            const expected = normActivate(ours(x, weight), { ...options, ...apart });
            for (const threads of [1, 2, 3]) {
              setThreads(threads);
              const found = noGrad(() => convolveNormActivate(x, convolution, options));
              assert.deepEqual(found.shape, expected.shape);
              assert.deepEqual(found.numbers(), expected.numbers());
            }
            setThreads(2);
          }
      }));

  it('has the gradients of one after the other', () =>
    scope(() => {
      const [shape] = shapes;
      const leaves = () => [xOf(shape!), weightOf(shape!)].map((each) => each.detach().requireGrad_());
      const options = { ...norm(shape!.outputs), curve: { kind: 'silu' } } as const;
      const [x, weight] = leaves() as [Tensor, Tensor];
      const together = convolveNormActivate(x, { weight, stride: 1, padding: 1 }, options);
      const [y, other] = leaves() as [Tensor, Tensor];
      const separate = normActivate(ours(y, other), { ...options, ...apart });
      const slopes = (output: Tensor, inputs: readonly Tensor[]) =>
        gradients([output.mul(output).sum()], [...inputs]).map((each) => each.numbers());
      assert.deepEqual(slopes(together, [x, weight]), slopes(separate, [y, other]));
    }));

  it('has the same bits with weights that were transformed before, forward and backward', () =>
    scope(() => {
      for (const shape of [shapes[0]!, shapes[4]!, shapes[5]!]) {
        const weight = weightOf(shape);
        const transformed = winogradWeights(weight)!;
        const options = { ...norm(shape.outputs), curve: { kind: 'silu' } } as const;
        const run = (convolution: Parameters<typeof convolveNormActivate>[1]) => {
          const x = xOf(shape).detach().requireGrad_();
          const output = convolveNormActivate(x, convolution, options);
          const plain = noGrad(() => convolveNormActivate(x, convolution, options));
          return [output, plain, gradient(output.mul(output).sum(), x)].map((each) => each.numbers());
        };
        const place = { weight, stride: 1, padding: 1 };
        assert.deepEqual(run({ ...place, transformed }), run(place));
      }
    }));

  it('keeps nothing of weights that it does not serve, and refuses those of another convolution', () =>
    scope(() => {
      const [narrow, wide] = [shapes[0]!, shapes[1]!];
      assert.equal(winogradWeights(weightOf(narrow, 1)), null);
      assert.equal(winogradWeights(weightOf({ ...narrow, inputs: 3 })), null);
      assert.equal(winogradWeights(weightOf(narrow).to('float64')), null);
      const transformed = winogradWeights(weightOf(wide))!;
      const convolution = { weight: weightOf(narrow), stride: 1, padding: 1, transformed };
      const options = { ...norm(16), curve: { kind: 'relu' } } as const;
      assert.throws(
        () => convolveNormActivate(xOf(narrow), convolution, options),
        /transformed for this convolution/,
      );
    }));

  it('serves every other convolution, layout and dtype too', () =>
    scope(() => {
      const shape = { images: 2, height: 8, width: 8, inputs: 16, outputs: 16 };
      const [x, weight] = [xOf(shape), weightOf(shape)];
      for (const [images, kernel, stride] of [
        [x, weight, 2],
        [x, weightOf(shape, 1), 1],
        [x.contiguous('contiguous'), weight, 1],
      ] as const) {
        const padding = kernel === weight ? 1 : 0;
        const options = { ...norm(16), curve: { kind: 'relu' } } as const;
        const found = noGrad(() =>
          convolveNormActivate(images, { weight: kernel, stride, padding }, options),
        );
        const expected = normActivate(conv2d(images, kernel, { stride, padding }), { ...options, ...apart });
        assert.deepEqual(found.numbers(), expected.numbers());
      }
    }));
});

describe('every other convolution', () => {
  const shape = { images: 2, height: 8, width: 8, inputs: 16, outputs: 16 };
  const same = (
    title: string,
    make: () => { x: Tensor; weight: Tensor; bias?: Tensor; stride?: number; padding?: number },
  ) =>
    it(`is libtorch’s own: ${title}`, () =>
      scope(() => {
        const { x, weight, bias, stride = 1, padding = 1 } = make();
        const theirs = one(
          libtorchs,
          x.handle,
          weight.handle,
          bias?.handle,
          [stride, stride],
          [padding, padding],
        );
        const found = conv2d(x, weight, { bias: bias ?? null, stride, padding });
        assert.deepEqual(found.shape, theirs.shape);
        assert.deepEqual(found.numbers(), theirs.numbers());
      }));
  same('float64', () => ({ x: xOf(shape).to('float64'), weight: weightOf(shape).to('float64') }));
  same('channels first', () => ({ x: xOf(shape).contiguous('contiguous'), weight: weightOf(shape) }));
  same('stride 2', () => ({ x: xOf(shape), weight: weightOf(shape), stride: 2 }));
  same('no padding', () => ({ x: xOf(shape), weight: weightOf(shape), padding: 0 }));
  same('a kernel of 1x1', () => ({ x: xOf(shape), weight: weightOf(shape, 1), padding: 0 }));
  same('a bias', () => ({ x: xOf(shape), weight: weightOf(shape), bias: normals([16], 4).to('float32') }));
  same('3 channels', () => {
    const narrow = { ...shape, inputs: 3 };
    return { x: xOf(narrow), weight: weightOf(narrow) };
  });
  same('images of 2x2', () => {
    const small = { ...shape, height: 2, width: 2 };
    return { x: xOf(small), weight: weightOf(small) };
  });

  it('of 1 channel lies channels last, as everything behind it wants it, forward and backward', () =>
    scope(() => {
      const narrow = { ...shape, inputs: 1 };
      const [x, weight] = [xOf(narrow).requireGrad_(), weightOf(narrow).requireGrad_()];
      const y = ours(x, weight);
      const asItLies = one(operator('aten::as_strided'), y.detach().handle, [y.size], [1]);
      const expected = one(libtorchs, x.handle, weight.handle, undefined, [1, 1], [1, 1]);
      assertNear(y.numbers(), expected.numbers(), { relative: 1e-6, name: 'output' });
      const channelsLast = expected.detach().permute([0, 2, 3, 1]);
      assertNear(asItLies.numbers(), channelsLast.contiguous('contiguous').numbers(), {
        relative: 1e-6,
        name: 'memory',
      });
      const upstream = { outputGradients: [normals(y.shape, 3).to('float32')] };
      const [ofOurs, ofTheirs] = [y, expected].map((each) => gradients([each], [x, weight], upstream));
      for (const [at, name] of ['x', 'weight'].entries())
        assertNear(ofOurs![at]!.numbers(), ofTheirs![at]!.numbers(), { relative: 1e-5, name });
    }));

  it('is refused where channels do not match, with libtorch’s sentence', () =>
    scope(() => {
      assert.throws(() => ours(xOf(shape), weightOf({ ...shape, inputs: 32 })), /channels/);
    }));
});

/** Every operator against PyTorch's values and gradients (test/golden/operators.json, made by scripts/golden/operators.py). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { forward } from '../../src/activations/activation.js';
import { parseActivation } from '../../src/activations/parse.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { crossEntropy } from '../../src/nn/losses.js';
import { cat, stack, where } from '../../src/tensor/create.js';
import {
  averagePool,
  batchNorm,
  conv2d,
  globalAveragePool,
  linear,
  logSoftmax,
  matmul,
  maxPool,
  pad,
  softmax,
} from '../../src/tensor/functional.js';
import { gradients } from '../../src/tensor/gradient.js';
import { scope } from '../../src/tensor/scope.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { assertClose, double, single, type Tolerance } from '../support/close.js';
import { fromGolden, type GoldenTensor, readGolden } from '../support/golden.js';

setThreads(1);

interface Case {
  readonly operator: string;
  readonly title: string;
  readonly inputs: Readonly<Record<string, GoldenTensor>>;
  readonly attributes: Readonly<Record<string, number | boolean | string | readonly number[]>>;
  readonly outputs: Readonly<Record<string, GoldenTensor>>;
  readonly upstream?: GoldenTensor;
  readonly gradients?: Readonly<Record<string, GoldenTensor>>;
}

const { cases } = readGolden<{ cases: readonly Case[] }>('operators');

/** The inputs and attributes of a case, each by the name that PyTorch's documentation gives it. */
class Call {
  constructor(
    readonly inputs: ReadonlyMap<string, Tensor>,
    readonly attributes: Case['attributes'],
  ) {}

  tensor(name: string): Tensor {
    const tensor = this.inputs.get(name);
    assert.ok(tensor, `no input ${name}`);
    return tensor;
  }
  get input(): Tensor {
    return this.tensor('input');
  }
  get other(): Tensor {
    return this.tensor('other');
  }
  number(name: string): number {
    const value = this.attributes[name];
    assert.ok(typeof value === 'number', `no number ${name}`);
    return value;
  }
  numbers(name: string): readonly number[] {
    const value = this.attributes[name] ?? [];
    assert.ok(typeof value === 'object', `no list ${name}`);
    return value;
  }
  is(name: string): boolean {
    return this.attributes[name] === true;
  }
  text(name: string): string {
    const value = this.attributes[name];
    assert.ok(typeof value === 'string', `no text ${name}`);
    return value;
  }
}

/** One tensor, or several by the names of the golden outputs; the one called `output` has gradients. */
type Result = Tensor | Readonly<Record<string, Tensor>>;

const activation = (text: string) => (call: Call) => forward(parseActivation(text), call.input);

/** How the façade computes each operator of PyTorch. */
const facade: Readonly<Record<string, (call: Call) => Result>> = {
  add: (call) => call.input.add(call.other),
  sub: (call) => call.input.sub(call.other),
  mul: (call) => call.input.mul(call.other),
  div: (call) => call.input.div(call.other),
  minimum: (call) => call.input.minimum(call.other),
  maximum: (call) => call.input.maximum(call.other),
  neg: (call) => call.input.neg(),
  exp: (call) => call.input.exp(),
  abs: (call) => call.input.abs(),
  log: (call) => call.input.log(),
  sqrt: (call) => call.input.sqrt(),
  rsqrt: (call) => call.input.rsqrt(),
  pow: (call) => call.input.pow(call.number('exponent')),
  sign: (call) => call.input.sign(),
  clamp: (call) => call.input.clamp(call.number('min'), call.number('max')),
  where: (call) => where(call.tensor('condition'), call.input, call.other),
  matmul: (call) => matmul(call.input, call.other),
  linear: (call) => linear(call.input, call.tensor('weight'), call.inputs.get('bias') ?? null),
  conv2d: (call) =>
    conv2d(call.input, call.tensor('weight'), {
      bias: call.inputs.get('bias') ?? null,
      stride: call.number('stride'),
      padding: call.number('padding'),
    }),
  batch_norm: (call) => {
    const [runningMean, runningVariance] = [call.tensor('running_mean'), call.tensor('running_var')];
    const output = batchNorm(call.input, {
      weight: call.tensor('weight'),
      bias: call.tensor('bias'),
      runningMean,
      runningVariance,
      train: call.is('training'),
      momentum: call.number('momentum'),
      epsilon: call.number('eps'),
    });
    return call.is('training') ? { output, running_mean: runningMean, running_var: runningVariance } : output;
  },
  relu: activation('relu'),
  leaky_relu: (call) => activation(`leaky-relu(${call.number('negative_slope')})`)(call),
  silu: activation('silu'),
  gelu: activation('gelu'),
  softplus: (call) => activation(`softplus(${call.number('beta')})`)(call),
  elu: (call) => activation(`elu(${call.number('alpha')})`)(call),
  sigmoid: (call) => call.input.sigmoid(),
  tanh: (call) => call.input.tanh(),
  avg_pool2d: (call) => averagePool(call.input, call.number('kernel_size'), call.number('stride')),
  adaptive_avg_pool2d: (call) => globalAveragePool(call.input).unsqueeze(2).unsqueeze(3),
  max_pool2d: (call) =>
    maxPool(call.input, call.number('kernel_size'), {
      stride: call.number('stride'),
      padding: call.number('padding'),
    }),
  pad: (call) => {
    assert.equal(call.text('mode'), 'constant');
    return pad(call.input, call.numbers('pad'), call.number('value'));
  },
  sum: (call) => call.input.sum(call.numbers('dim'), call.is('keepdim')),
  mean: (call) => call.input.mean(call.numbers('dim'), call.is('keepdim')),
  amax: (call) => call.input.max(call.numbers('dim'), call.is('keepdim')),
  amin: (call) => call.input.min(call.numbers('dim'), call.is('keepdim')),
  argmax: (call) => call.input.argmax(call.number('dim'), call.is('keepdim')),
  topk: (call) => {
    const { values, indices } = call.input.topk(call.number('k'), call.number('dim'));
    return { output: values, indices };
  },
  linalg_vector_norm: (call) => {
    const dimensions = call.attributes.dim === undefined ? call.input.shape.keys() : call.numbers('dim');
    return call.input.l2Norm([...dimensions], call.is('keepdim'));
  },
  log_softmax: (call) => logSoftmax(call.input, call.number('dim')),
  softmax: (call) => softmax(call.input, call.number('dim')),
  cross_entropy: (call) => {
    const reduction = call.text('reduction');
    assert.ok(reduction === 'mean' || reduction === 'sum' || reduction === 'none');
    const labelSmoothing = call.number('label_smoothing');
    return crossEntropy(call.input, call.tensor('target'), { reduction, labelSmoothing });
  },
  gather: (call) => call.input.gather(call.number('dim'), call.tensor('index')),
  index_select: (call) => call.input.indexSelect(call.number('dim'), call.tensor('index')),
  index: (call) => call.input.index([call.tensor('rows'), call.tensor('columns')]),
  cat: (call) => cat([...call.inputs.values()], call.number('dim')),
  stack: (call) => stack([...call.inputs.values()], call.number('dim')),
  unsqueeze: (call) => call.input.unsqueeze(call.number('dim')),
  reshape: (call) => call.input.reshape(call.numbers('shape')),
  transpose: (call) => call.input.transpose(call.number('dim0'), call.number('dim1')),
  permute: (call) => call.input.permute(call.numbers('dims')),
  flatten: (call) => call.input.flatten(call.number('start_dim'), call.number('end_dim')),
  narrow: (call) => call.input.narrow(call.number('dim'), call.number('start'), call.number('length')),
  slice: (call) =>
    call.input.slice(call.number('dim'), call.number('start'), call.number('end'), call.number('step')),
  expand: (call) => call.input.expand(call.numbers('size')),
};

function check(golden: Case, dtype: 'float32' | 'float64', tolerance: Tolerance): void {
  const inputs = new Map(
    Object.entries(golden.inputs).map(([name, value]) => [name, fromGolden(value, dtype)]),
  );
  const wanted = Object.keys(golden.gradients ?? {});
  for (const name of wanted) inputs.get(name)!.requireGrad_();
  const result = facade[golden.operator]!(new Call(inputs, golden.attributes));
  const outputs: Readonly<Record<string, Tensor>> = result instanceof Tensor ? { output: result } : result;
  assert.deepEqual(Object.keys(outputs).sort(), Object.keys(golden.outputs).sort());
  for (const [name, expected] of Object.entries(golden.outputs)) {
    const actual = outputs[name]!;
    assert.deepEqual(actual.shape, expected.shape, name);
    assertClose(actual.numbers(), expected.values, tolerance, name);
  }
  if (golden.upstream === undefined) return;
  const upstream = fromGolden(golden.upstream, dtype);
  const slopes = gradients(
    [outputs.output!],
    wanted.map((name) => inputs.get(name)!),
    { outputGradients: [upstream] },
  );
  for (const [place, name] of wanted.entries()) {
    const expected = golden.gradients![name]!;
    assert.deepEqual(slopes[place]!.shape, expected.shape);
    assertClose(slopes[place]!.numbers(), expected.values, tolerance, `gradient of ${name}`);
  }
}

describe('operators and their gradients equal PyTorch’s', () => {
  it('has golden values, and the façade has every operator of them', () => {
    assert.ok(cases.length >= 100, `${cases.length} cases`);
    assert.deepEqual([...new Set(cases.map(({ operator }) => operator))].sort(), Object.keys(facade).sort());
    assert.ok(cases.filter((golden) => golden.gradients !== undefined).length >= 100);
  });

  for (const golden of cases) {
    const attributes = Object.keys(golden.attributes).length === 0 ? '' : JSON.stringify(golden.attributes);
    it([golden.operator, golden.title, attributes].filter((part) => part !== '').join(' '), () => {
      scope(() => {
        check(golden, 'float32', single);
        check(golden, 'float64', double);
      });
    });
  }
});

/** Every activation in onnxruntime: values and derivatives agree with libtorch in float64, far to both sides too. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Activation, derivative, forward } from '../../src/activations/activation.js';
import { activationNames, parseActivation } from '../../src/activations/parse.js';
import { curveSlope, curveValue } from '../../src/onnx/curves.js';
import { Graph } from '../../src/onnx/graph.js';
import { tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { runOnnx } from '../support/onnx-runtime.js';

const points = [1e-6, 1e-3, 0.01, 0.3, 0.9, 1, 1.1, 2, 5, 13.5, 20, 87, 100, 1e4, 1e30]
  .flatMap((x) => [-x, x])
  .concat(0);

async function inOnnx({ curve }: Activation) {
  const graph = new Graph('curve');
  const input = graph.input('x', []);
  graph.output('value', curveValue(graph, curve, input), []);
  // A slope that is the same everywhere is a number.
  graph.output(
    'slope',
    graph.node('Add', [curveSlope(graph, curve, input), graph.node('Mul', [input, graph.number(0)])]),
    [],
  );
  const bytes = graph.encode({ producer: { name: 'test', version: '0' }, metadata: new Map() });
  const x = { values: Float32Array.from(points), shape: [points.length] };
  const [{ value, slope } = {}] = await runOnnx(bytes, [{ x }]);
  return { value: value!.values, slope: slope!.values };
}

function inLibtorch(activation: Activation) {
  return scope(() => {
    const x = tensor(Float64Array.from(Float32Array.from(points)), [points.length]);
    return { value: forward(activation, x).numbers(), slope: derivative(activation, x).numbers() };
  });
}

const others = [
  'softplus(10)',
  'softplus(0.001)',
  'leaky-relu(0.3)',
  'elu(2)',
  'celu(0.1)',
  'celu(1000)',
  'smooth-relu(0.001)',
  'smooth-relu(3)',
  'psilu(0.01)',
  'psilu(20)',
];

describe('a curve in ONNX', () => {
  for (const name of [...activationNames, ...others])
    it(`is that of libtorch: ${name}`, async () => {
      const activation = parseActivation(name);
      const [found, wanted] = [await inOnnx(activation), inLibtorch(activation)];
      for (const [index, x] of points.entries()) {
        for (const part of ['value', 'slope'] as const) {
          const [own, other] = [found[part][index]!, wanted[part][index]!];
          const allowed = 2e-5 * Math.max(Math.abs(other), part === 'value' ? Math.min(Math.abs(x), 1) : 1);
          assert.ok(Math.abs(own - other) <= allowed, `${part} at ${x}: ${own} instead of ${other}`);
        }
      }
    });

  it('with learned coefficients of either sign', async () => {
    for (const curve of [
      { kind: 'psilu', a: -0.7 },
      { kind: 'psilu', a: 0 },
      { kind: 'pssilu', a: 1.5, b: 0.2 },
    ] as const) {
      const activation = { ...parseActivation('silu'), curve };
      const [found, wanted] = [await inOnnx(activation), inLibtorch(activation)];
      for (const [index, x] of points.entries()) {
        const scale = Math.max(1, Math.abs(wanted.value[index]!));
        assert.ok(
          Math.abs(found.value[index]! - wanted.value[index]!) <= 2e-5 * scale,
          `${curve.kind} at ${x}`,
        );
        assert.ok(
          Math.abs(found.slope[index]! - wanted.slope[index]!) <= 2e-5,
          `slope of ${curve.kind} at ${x}`,
        );
      }
    }
  });
});

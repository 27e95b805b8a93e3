import { tensor } from '../tensor/create.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { BatchNorm } from './operators/batch-norm.js';
import { ConstantArithmetic } from './operators/constant-arithmetic.js';
import { Convolution } from './operators/convolution.js';
import { type Constant, fixedConstant, type Program, type Step, type Value, valuesOf } from './step.js';

/**
 * A program without batch norms: each becomes part of the convolution before it, or, where there is none or another step
 * reads that convolution, a product and a sum per channel. Computed in float64, of the values at this time.
 */
export function foldBatchNorms({ images, steps, logits }: Program): Program {
  const uses = new Map<Value, number>([[logits, 1]]);
  for (const { inputs } of steps) for (const input of inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  const convolutions = new Map<Value, Convolution>();
  for (const step of steps)
    if (step instanceof Convolution && uses.get(step.output) === 1) convolutions.set(step.output, step);
  const replaced = new Set<Step>();
  const folded = steps.flatMap((step): readonly Step[] => {
    if (!(step instanceof BatchNorm)) return [step];
    const convolution = convolutions.get(step.inputs[0]);
    if (convolution === undefined) return perChannel(step);
    replaced.add(convolution);
    return [inConvolution(convolution, step)];
  });
  return { images, steps: folded.filter((step) => !replaced.has(step)), logits };
}

/** norm(w ∗ x + b) = (scale · w) ∗ x + (shift + scale · b) */
function inConvolution(convolution: Convolution, norm: BatchNorm): Convolution {
  const { weight, bias } = convolution;
  const { scale, shift } = norm.affine();
  const added = bias === null ? [] : valuesOf(bias);
  const sum = Float32Array.from(shift, (value, channel) => value + scale[channel]! * (added[channel] ?? 0));
  return new Convolution({
    ...convolution.options,
    output: norm.output,
    weight: { ...weight, read: () => scaledPerOutput(weight.read(), scale) },
    bias: fixedConstant(sum, norm.bias),
  });
}

/** Each output's share of the weights times its factor. By the engine: JavaScript would leave arrays as large as the network behind. */
function scaledPerOutput(weight: Tensor, scale: Float64Array): Tensor {
  return scope(() => {
    const factors = tensor(scale, [scale.length, 1, 1, 1]);
    return weight.to('float64').mul(factors).to('float32');
  });
}

function perChannel(norm: BatchNorm): readonly Step[] {
  const { inputs, output, weight, bias } = norm;
  const { scale, shift } = norm.affine();
  const scaled = { shape: output.shape };
  const constant = (values: Float64Array, { name }: Constant) =>
    fixedConstant(Float32Array.from(values), { shape: [1, values.length, 1, 1], name });
  return [
    new ConstantArithmetic(inputs, scaled, 'Mul', constant(scale, weight)),
    new ConstantArithmetic([scaled], output, 'Add', constant(shift, bias)),
  ];
}

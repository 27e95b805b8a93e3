/** Every activation, alone and after a batch norm, on the device and on the CPU: values, derivatives, learned coefficients. */
import { describe, it } from 'node:test';
import { activationNames, parseActivation } from '../../src/activations/parse.js';
import { ActivationLayer } from '../../src/nn/activation-layer.js';
import { Initialiser } from '../../src/nn/initialise.js';
import { BatchNorm2d } from '../../src/nn/layers.js';
import { tensor } from '../../src/tensor/create.js';
import { type ActivationKind, activate, activationKinds } from '../../src/tensor/functional.js';
import { gradients, noGrad, withGrad } from '../../src/tensor/gradient.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Dtype, Tensor } from '../../src/tensor/tensor.js';
import { assertAlike, device, isCard } from '../support/test-device.js';

const draw = (id: number, shape: readonly number[], where: string) =>
  noise('normal', { key: { seed: 12, stream: 'bench' }, ids: [id], shape })
    .reshape(shape)
    .contiguous(shape.length === 4 ? 'channels-last' : 'contiguous')
    .toDevice(where);

/** From far below to far above 0, and what is no number. */
const far = Float32Array.of(
  ...[0, 1e-30, 1e-6, 0.3, 1, 4, 20, 90, 1e4, 1e30].flatMap((x) => [x, -x]),
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
);
const coefficients: Partial<Record<ActivationKind, readonly number[]>> = {
  'leaky-relu': [0.1],
  softplus: [3],
  elu: [1.5],
  celu: [1.5],
  'smooth-relu': [20],
  psilu: [1.3],
  pssilu: [1.3, 0.2],
};

describe(`activations on ${device}`, () => {
  for (const kind of Object.keys(activationKinds) as ActivationKind[])
    it(`${kind}: values, derivatives, tails, coefficients`, () =>
      scope(() => {
        const learned = coefficients[kind];
        const [a = 0, b = 0] = learned ?? [];
        for (const shape of [[23], [2, 3, 5, 7], [4, 16, 8, 8]]) {
          const at = (where: string, isLearned: boolean) => {
            const x = (shape.length === 1 ? tensor(far, [23], where) : draw(1, shape, where)).requireGrad_();
            const own = isLearned
              ? tensor(Float32Array.from(learned!), [learned!.length], where).requireGrad_()
              : null;
            const y = withGrad(() =>
              activate(x, { curve: { kind, a, b }, ...(own && { coefficients: own }) }),
            );
            const inputs = own === null ? [x] : [x, own];
            const finite = shape.length === 1 ? 1 : 0; // the sum of the tails' terms is no number
            const found = gradients([y], inputs.slice(0, inputs.length - (own && finite ? 1 : 0)), {
              outputGradients: [shape.length === 1 ? y.detach().mul(0).add(1) : draw(2, shape, where)],
            });
            return [y, ...found];
          };
          assertAlike(`${kind} of ${shape}`, at(device, false), at('cpu', false));
          if (learned !== undefined)
            assertAlike(`${kind} of ${shape}, learned`, at(device, true), at('cpu', true));
        }
      }));

  for (const kind of Object.keys(activationKinds) as ActivationKind[])
    it(`${kind}: second derivatives, and another one's derivative`, () =>
      scope(() => {
        const [a = 0, b = 0] = coefficients[kind] ?? [];
        const at = (where: string) => {
          const x = draw(3, [50], where).requireGrad_();
          const [first] = withGrad(() => {
            const y = activate(x, { curve: { kind, a, b } });
            return gradients([y.mul(y).sum()], [x], { createGraph: true });
          });
          const [second] = gradients([first!.mul(first!).sum()], [x]);
          const y = withGrad(() =>
            activate(x, { curve: { kind, a, b }, derivative: { kind: 'softplus', a: 10 } }),
          );
          return [first!, second!, y, ...gradients([y.sum()], [x])];
        };
        assertAlike(kind, at(device), at('cpu'));
      }));
});

describe(`batch norm with an activation on ${device}`, () => {
  for (const name of activationNames)
    for (const train of [false, true])
      it(`${name}, ${train ? 'of the batch' : 'of running statistics'}`, () =>
        scope(() => {
          for (const [shape, hasResidual] of [
            [[4, 16, 6, 5], true],
            [[3, 5, 7, 7], false],
            [[2, 64, 8, 8], true],
          ] as const)
            for (const dtype of isCard ? (['float32', 'bfloat16'] as const) : (['float32'] as const)) {
              const at = (where: string) => normed({ name, train, shape, hasResidual, dtype, where });
              assertAlike(`${name} of ${shape}`, at(device), at('cpu'), dtype === 'float32' ? 1e-5 : 1e-2);
            }
        }));
});

function normed(options: {
  readonly name: string;
  readonly train: boolean;
  readonly shape: readonly number[];
  readonly hasResidual: boolean;
  readonly dtype: Dtype;
  readonly where: string;
}): Tensor[] {
  const { name, train, shape, hasResidual, dtype, where } = options;
  const channels = shape[1]!;
  const norm = new BatchNorm2d({ channels, initialiser: new Initialiser(0) });
  const activation = new ActivationLayer(parseActivation(name), 'float32');
  noGrad(() => {
    norm.weight.copy_(draw(4, [channels], 'cpu').mul(0.2).add(1));
    norm.bias.copy_(draw(5, [channels], 'cpu').mul(0.2));
    norm.runningMean.copy_(draw(6, [channels], 'cpu').mul(0.2));
    norm.runningVariance.copy_(draw(7, [channels], 'cpu').abs().add(0.5));
  });
  norm.moveTo(where);
  activation.moveTo(where);
  // The kernels compute in float32 whatever the dtype: what is left is the rounding of inputs and outputs. The CPU composes
  // bfloat16 of operators that round each result, so there float32 takes the rounded inputs.
  const rounded = (tensor: Tensor) => (where === 'cpu' ? tensor.to(dtype).to('float32') : tensor.to(dtype));
  const x = rounded(draw(8, shape, where)).requireGrad_();
  const residual = hasResidual ? rounded(draw(9, shape, where)).requireGrad_() : undefined;
  const forward = () =>
    withGrad(() => norm.forward(x, { train }, { activation, ...(residual && { residual }) }));
  // As an attack does: with a gradient of the weights, evaluation mode is composed of libtorch's operators, which round each
  // result to bfloat16 and so move images across the kink of a ReLU.
  const y = train ? forward() : norm.frozen(forward);
  const weights = train ? [norm.weight, norm.bias, ...activation.parameters().values()] : [];
  const inputs = [x, ...(residual === undefined ? [] : [residual]), ...weights];
  const found = gradients([y], inputs, { outputGradients: [rounded(draw(10, shape, where))] });
  return [y, ...found, norm.runningMean, norm.runningVariance];
}

import type { Handle, OperatorArgument } from '../engine/addon.js';
import { EngineError } from '../errors.js';
import { type ActivationKind, activationKinds, type Curve } from '../tensor/functional.js';
import { noGrad } from '../tensor/gradient.js';
import { observeOperators, oneHandle } from '../tensor/operator.js';
import { scope } from '../tensor/scope.js';
import { readData, shapeOf, type Tensor } from '../tensor/tensor.js';
import { BatchNorm } from './operators/batch-norm.js';
import { ConstantArithmetic } from './operators/constant-arithmetic.js';
import { Convolution, noPads, type Pads } from './operators/convolution.js';
import { Activation, ChannelProduct, Sigmoid, Sum } from './operators/elementwise.js';
import { Linear } from './operators/linear.js';
import { ChannelPad, Subsample } from './operators/padded-shortcut.js';
import { MaxPool, SpatialMean } from './operators/pooling.js';
import { type Constant, fixedConstant, type Program, type Step, type Value, valuesOf } from './step.js';

/**
 * The operators that `forward` calls on the images, as a program: it is run once, in evaluation mode, so there is no case
 * per architecture here. What does not depend on the images is a constant, such as learned coefficients. As in a trace,
 * `forward` must not read values of tensors.
 *
 * @throws {EngineError} for an operator that is not known here.
 */
export function recordProgram(options: {
  /** Parameters and buffers by their names in the state dict. */
  readonly named: ReadonlyMap<string, Tensor>;
  /** Images of any number, [N, C, H, W]. */
  readonly example: Tensor;
  readonly forward: (images: Tensor) => Tensor;
}): Recording {
  const { named, example, forward } = options;
  const recorder = new Recorder(
    new Map([...named].map(([name, weight]) => [weight.handle, { name, weight }])),
  );
  const images = recorder.begin(example.handle);
  return scope(() => {
    const logits = noGrad(() =>
      observeOperators(
        (name, overload, values, result) => {
          const convert = converters[overload === '' ? name : `${name}.${overload}`];
          if (convert !== undefined) recorder.call(convert, values, oneHandle(result));
          else recorder.requireConstant(name, values[0]);
        },
        () => forward(example),
      ),
    );
    const { steps, isLive } = recorder;
    return { images, steps, logits: recorder.value(logits.handle), isLive };
  });
}

/** A program as it was recorded. */
export interface Recording extends Program {
  /**
   * Whether its constants follow the weights, as long as those live. What was computed of weights, such as α² of a learned
   * α, stays as it was.
   */
  readonly isLive: boolean;
}

/** Adds an operator's part of a program, and returns its output, [N, ...shape]. */
type Converter = (recorder: Recorder, values: readonly OperatorArgument[], shape: readonly number[]) => Value;

/** Padding of height and width that is yet to become part of the operator after it. */
interface Padded {
  readonly value: Value;
  readonly pads: Pads;
}

class Recorder {
  readonly steps: Step[] = [];
  isLive = true;
  readonly #values = new Map<Handle, Value>();
  readonly #padded = new Map<Value, Padded>();

  constructor(readonly named: ReadonlyMap<Handle, { readonly name: string; readonly weight: Tensor }>) {}

  begin(images: Handle): Value {
    const value = { shape: shapeOf(images).slice(1) };
    this.#values.set(images, value);
    return value;
  }

  call(convert: Converter, values: readonly OperatorArgument[], result: Handle): void {
    // A tensor that was freed may have had the same handle.
    const depends = values.slice(0, 2).some((each) => this.#values.has(each as Handle));
    if (!depends) this.#values.delete(result);
    else this.#values.set(result, convert(this, values, shapeOf(result).slice(1)));
  }

  /** Adds a step, and returns its output. */
  add(step: Step): Value {
    this.steps.push(step);
    return step.output;
  }

  /** A value of the network, which is not padded. */
  value(handle: OperatorArgument): Value {
    const value = this.#values.get(handle as Handle);
    if (value === undefined || this.#padded.has(value))
      throw new EngineError('internal: an operator of the network has an input that ONNX is not given.');
    return value;
  }

  /** Whether a value of the network, and no constant. */
  isValue(handle: OperatorArgument): boolean {
    return this.#values.has(handle as Handle);
  }

  /** A value of the network with the padding that was applied to it. */
  paddedValue(handle: OperatorArgument): Padded {
    const value = this.#values.get(handle as Handle);
    return (value && this.#padded.get(value)) ?? { value: this.value(handle), pads: noPads };
  }

  pad(padded: Padded, shape: readonly number[]): Value {
    const value = { shape };
    this.#padded.set(value, padded);
    return value;
  }

  constant(handle: OperatorArgument): Constant {
    const shape = shapeOf(handle as Handle);
    const known = this.named.get(handle as Handle);
    if (known !== undefined) return { shape, name: known.name, read: () => plain(known.weight) };
    this.isLive = false;
    const data = readData(handle as Handle);
    // A conversion number by number takes minutes for the largest networks.
    const values = data instanceof Float32Array ? data : Float32Array.from(data, Number);
    return fixedConstant(values, { shape, name: 'constant' });
  }

  /** @throws {EngineError} if an operator that is not known is applied to a value of the network. */
  requireConstant(name: string, first: OperatorArgument): void {
    if (typeof first === 'number' && this.#values.has(first))
      throw new EngineError(`internal: the operator ${name} of the network has no counterpart in ONNX.`);
  }
}

function plain(weight: Tensor): Tensor {
  return scope(() => weight.detach().toDevice('cpu').to('float32'));
}

const converters: Readonly<{ [operator: string]: Converter }> = {
  'satin::conv2d': (recorder, [x, weight, bias, stride, padding], shape) =>
    convolution(recorder, { x, weight, bias, stride, padding, groups: 1 }, shape),
  'aten::conv2d': (recorder, [x, weight, bias, stride, padding, , groups], shape) =>
    convolution(recorder, { x, weight, bias, stride, padding, groups: groups as number }, shape),
  'satin::activate': (recorder, [x, coefficients, activation], shape) =>
    activated(recorder, recorder.value(x), { coefficients, activation }, shape),
  'satin::norm_activate'(recorder, values, shape) {
    const [x, residual, weight, bias, mean, variance, , , epsilon, coefficients, activation] = values;
    const normalised = recorder.add(
      new BatchNorm({
        inputs: [recorder.value(x)],
        output: { shape },
        weight: recorder.constant(weight),
        bias: recorder.constant(bias),
        mean: recorder.constant(mean),
        variance: recorder.constant(variance),
        epsilon: epsilon as number,
      }),
    );
    const sum =
      residual === undefined || residual === null
        ? normalised
        : recorder.add(new Sum([normalised, recorder.value(residual)], { shape }));
    return activated(recorder, sum, { coefficients, activation }, shape);
  },
  'aten::linear': (recorder, [x, weight, bias], shape) =>
    recorder.add(
      new Linear([recorder.value(x)], { shape }, recorder.constant(weight), recorder.constant(bias)),
    ),
  'aten::mean.dim': (recorder, [x], shape) => recorder.add(new SpatialMean([recorder.value(x)], { shape })),
  'aten::sigmoid': (recorder, [x], shape) => recorder.add(new Sigmoid([recorder.value(x)], { shape })),
  'aten::max_pool2d'(recorder, [x, size, stride, padding], shape) {
    const { value, pads } = recorder.paddedValue(x);
    const window = { kernel: first(size), stride: first(stride), pads: widened(pads, first(padding)) };
    return recorder.add(new MaxPool([value], { shape }, window));
  },
  'aten::constant_pad_nd'(recorder, [x, sizes], shape) {
    const [left = 0, right = 0, top = 0, bottom = 0, before, after] = sizes as readonly number[];
    const value = recorder.value(x);
    if (before === undefined || after === undefined)
      return recorder.pad({ value, pads: { top, left, bottom, right } }, shape);
    return recorder.add(new ChannelPad([value], { shape }, before, after));
  },
  'aten::slice.Tensor': (recorder, [x, axis, , , step], shape) =>
    recorder.add(new Subsample([recorder.value(x)], { shape }, axis as 2 | 3, step as number)),
  'aten::add.Tensor': (recorder, [a, b], shape) =>
    recorder.isValue(a) && recorder.isValue(b)
      ? recorder.add(new Sum([recorder.value(a), recorder.value(b)], { shape }))
      : withConstant(recorder, 'Add', a, b, shape),
  'aten::mul.Tensor': (recorder, [a, b], shape) =>
    recorder.isValue(a) && recorder.isValue(b)
      ? recorder.add(new ChannelProduct([recorder.value(a), recorder.value(b)], { shape }))
      : withConstant(recorder, 'Mul', a, b, shape),
  'aten::sub.Tensor': (recorder, [a, b], shape) => withConstant(recorder, 'Sub', a, b, shape),
  'aten::div.Tensor': (recorder, [a, b], shape) => withConstant(recorder, 'Div', a, b, shape),
};

/** Arithmetic with a constant on the right. */
function withConstant(
  recorder: Recorder,
  type: ConstantArithmetic['type'],
  x: OperatorArgument,
  constant: OperatorArgument,
  shape: readonly number[],
): Value {
  return recorder.add(
    new ConstantArithmetic([recorder.value(x)], { shape }, type, recorder.constant(constant)),
  );
}

function convolution(
  recorder: Recorder,
  { x, weight, bias, stride, padding, groups }: { readonly [argument: string]: OperatorArgument },
  shape: readonly number[],
): Value {
  const { value, pads } = recorder.paddedValue(x);
  return recorder.add(
    new Convolution({
      inputs: [value],
      output: { shape },
      weight: recorder.constant(weight),
      bias: bias === undefined || bias === null ? null : recorder.constant(bias),
      stride: first(stride),
      pads: widened(pads, first(padding)),
      groups: groups as number,
    }),
  );
}

function activated(
  recorder: Recorder,
  x: Value,
  {
    coefficients,
    activation,
  }: { readonly coefficients: OperatorArgument; readonly activation: OperatorArgument },
  shape: readonly number[],
): Value {
  const [kind, fixedA, fixedB] = activation as readonly [number, number, number];
  const name = kindOf(kind);
  if (name === 'identity') return x;
  const learned = coefficients === undefined ? null : recorder.constant(coefficients);
  const readCurve = (): Curve => {
    const [a = fixedA, b = fixedB] = learned === null ? [] : valuesOf(learned);
    return { kind: name, a, b };
  };
  return recorder.add(new Activation([x], { shape }, readCurve));
}

function kindOf(number: number): ActivationKind {
  const [kind] = Object.entries(activationKinds).find(([, each]) => each === number)!;
  return kind as ActivationKind;
}

/** The first of the equal numbers of height and width. */
const first = (numbers: OperatorArgument) => (numbers as readonly number[])[0]!;

function widened({ top, left, bottom, right }: Pads, by: number): Pads {
  return { top: top + by, left: left + by, bottom: bottom + by, right: right + by };
}

import { ConstantArithmetic } from '../../onnx/operators/constant-arithmetic.js';
import { Convolution } from '../../onnx/operators/convolution.js';
import { Activation, ChannelProduct, Sigmoid, Sum } from '../../onnx/operators/elementwise.js';
import { Linear } from '../../onnx/operators/linear.js';
import { ChannelPad, Subsample } from '../../onnx/operators/padded-shortcut.js';
import { MaxPool, SpatialMean } from '../../onnx/operators/pooling.js';
import {
  type Constant,
  fixedConstant,
  type Program,
  type Step,
  type Value,
  valuesOf,
} from '../../onnx/step.js';
import type { Curve } from '../../tensor/functional.js';
import type { Affine, ForwardPlan, ForwardStep, Geometry, ValueNumber } from './steps.js';

/**
 * Fuses a program without batch norms into the steps of a plan: what follows a convolution and is read by nobody else, a sum
 * and an activation, becomes part of it. Null if the network has a step that plans do not know.
 */
export function fuse(program: Program): ForwardPlan | null {
  const fuser = new Fuser(program);
  for (const step of program.steps) if (!fuser.take(step)) return null;
  return fuser.finish();
}

/** A step that may still take up what follows it. */
type Open =
  | {
      readonly kind: 'convolution';
      readonly from: Value;
      readonly other: Value | null;
      readonly weight: Constant;
      readonly bias: Float32Array | null;
      readonly geometry: Geometry;
    }
  | {
      readonly kind: 'curve';
      readonly from: Value;
      readonly other: Value | null;
      readonly affine: Affine | null;
    };

/** Rows, or rows and columns, of a value. */
interface Strided {
  readonly from: Value;
  readonly stride: number;
  readonly axes: 1 | 2;
}

class Fuser {
  readonly #sizes: number[] = [];
  readonly #numbers = new Map<Value, ValueNumber>();
  readonly #uses = new Map<Value, number>();
  readonly #open = new Map<Value, Open>();
  /** What sigmoids are of, each for the product with it. */
  readonly #gates = new Map<Value, Value>();
  readonly #strided = new Map<Value, Strided>();
  readonly #steps: ForwardStep[] = [];
  /** The pixels after the arithmetic so far. */
  #loaded: Value;
  #load: Affine | null = null;
  /** Whether each value that a step reads is computed: sigmoids and subsamples are only in what they are known for. */
  #isComplete = true;

  constructor(readonly program: Program) {
    for (const value of [...program.steps.flatMap(({ inputs }) => inputs), program.logits])
      this.#uses.set(value, (this.#uses.get(value) ?? 0) + 1);
    this.#loaded = program.images;
  }

  /** Whether the step is known. */
  take(step: Step): boolean {
    if (step instanceof ConstantArithmetic) return this.#arithmetic(step);
    if (step instanceof Convolution) return this.#convolution(step);
    if (step instanceof Linear) {
      const [outputs, inputs] = step.weight.shape as [number, number];
      const place = { height: 1, width: 1, outHeight: 1, outWidth: 1 };
      const one = { kernel: 1, stride: 1, top: 0, left: 0, groups: 1, ...place };
      return this.#begin(step.output, {
        kind: 'convolution',
        from: step.inputs[0],
        other: null,
        weight: step.weight,
        bias: valuesOf(step.bias),
        geometry: { inputs, outputs, ...one },
      });
    }
    if (step instanceof Sum) return this.#sum(step);
    if (step instanceof Activation) return this.#activation(step);
    if (step instanceof Sigmoid) {
      this.#gates.set(step.output, step.inputs[0]);
      return this.#isReadOnce(step.output);
    }
    if (step instanceof ChannelProduct) return this.#gate(step);
    if (step instanceof SpatialMean) {
      const from = this.#number(step.inputs[0]);
      const [, height = 1, width = 1] = step.inputs[0].shape;
      const to = this.#newNumber(step.output);
      this.#steps.push({ kind: 'mean', from, to, other: null, keeps: false, places: height * width });
      return true;
    }
    if (step instanceof MaxPool) return this.#maxPool(step);
    if (step instanceof Subsample) return this.#subsample(step);
    return step instanceof ChannelPad && this.#channelPad(step);
  }

  finish(): ForwardPlan | null {
    const { images, logits } = this.program;
    const number = this.#number(logits);
    const first = this.#number(this.#loaded);
    if (!this.#isComplete) return null;
    return {
      shape: images.shape as [number, number, number],
      classes: this.#sizes[number]!,
      sizes: this.#sizes,
      load: this.#load,
      images: first,
      steps: this.#steps,
      logits: number,
    };
  }

  /** Of the pixels it becomes part of loading them, elsewhere of a curve. */
  #arithmetic({ inputs: [x], output, type, constant }: ConstantArithmetic): boolean {
    const channels = x.shape[0]!;
    const values = valuesOf(constant);
    const at = (channel: number) => values[values.length === 1 ? 0 : channel]!;
    if (values.length !== 1 && values.length !== channels) return false;
    const then = (before: Affine | null): Affine => {
      const scale = Float64Array.from({ length: channels }, (_, channel) => before?.scale[channel] ?? 1);
      const shift = Float64Array.from({ length: channels }, (_, channel) => before?.shift[channel] ?? 0);
      for (let channel = 0; channel < channels; channel++) {
        const value = at(channel);
        if (type === 'Add') shift[channel]! += value;
        else if (type === 'Sub') shift[channel]! -= value;
        else {
          const factor = type === 'Mul' ? value : 1 / value;
          scale[channel]! *= factor;
          shift[channel]! *= factor;
        }
      }
      return { scale: Float32Array.from(scale), shift: Float32Array.from(shift) };
    };
    if (x === this.#loaded && this.#uses.get(x) === 1 && !this.#numbers.has(x)) {
      this.#load = then(this.#load);
      this.#loaded = output;
      return true;
    }
    const open = this.#open.get(x);
    if (open?.kind === 'curve' && open.other === null && this.#isReadOnce(x)) {
      this.#open.delete(x);
      return this.#begin(output, { ...open, affine: then(open.affine) });
    }
    return this.#begin(output, { kind: 'curve', from: x, other: null, affine: then(null) });
  }

  #convolution({ inputs: [x], output, weight, bias, stride, pads, groups }: Convolution): boolean {
    const [outputs, inputs, kernel, width] = weight.shape as [number, number, number, number];
    if (kernel !== width || !isServed(groups, { inputs: inputs * groups, outputs })) return false;
    const [, inHeight, inWidth] = x.shape as [number, number, number];
    const [, outHeight, outWidth] = output.shape as [number, number, number];
    return this.#begin(output, {
      kind: 'convolution',
      from: x,
      other: null,
      weight,
      bias: bias === null ? null : valuesOf(bias),
      geometry: {
        inputs: inputs * groups,
        outputs,
        kernel,
        stride,
        top: pads.top,
        left: pads.left,
        height: inHeight,
        width: inWidth,
        outHeight,
        outWidth,
        groups,
      },
    });
  }

  #maxPool({ inputs: [x], output, window: { kernel, stride, pads } }: MaxPool): true {
    const [channels, height, width] = x.shape as [number, number, number];
    const [, outHeight, outWidth] = output.shape as [number, number, number];
    const size = { kernel, stride, top: pads.top, left: pads.left, height, width, outHeight, outWidth };
    const geometry = { inputs: channels, outputs: channels, groups: 1, ...size };
    const from = this.#number(x);
    const to = this.#newNumber(output);
    this.#steps.push({ kind: 'max-pool', from, to, other: null, keeps: false, geometry });
    return true;
  }

  /** Part of the first summand if that is a convolution, else of the second. */
  #sum({ inputs: [a, b], output }: Sum): boolean {
    for (const [main, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const open = this.#open.get(main);
      if (open?.kind !== 'convolution' || open.other !== null || !this.#isReadOnce(main)) continue;
      this.#open.delete(main);
      this.#number(other);
      return this.#begin(output, { ...open, other });
    }
    this.#number(b);
    return this.#begin(output, { kind: 'curve', from: a, other: b, affine: null });
  }

  #gate({ inputs: [x, open], output }: ChannelProduct): boolean {
    const gate = this.#gates.get(open);
    if (gate === undefined || x.shape.length !== 3) return false;
    if (gate.shape.reduce((product, each) => product * each, 1) !== x.shape[0]) return false;
    const [from, other] = [this.#number(x), this.#number(gate)];
    const [channels, height, width] = x.shape as [number, number, number];
    const to = this.#newNumber(output);
    this.#steps.push({ kind: 'gate', from, to, other, keeps: false, channels, places: height * width });
    return true;
  }

  #activation({ inputs: [x], output, readCurve }: Activation): boolean {
    const curve = readCurve();
    const open = this.#open.get(x);
    if (open === undefined || !this.#isReadOnce(x))
      this.#close(output, { kind: 'curve', from: x, other: null, affine: null }, curve);
    else {
      this.#open.delete(x);
      this.#close(output, open, curve);
    }
    return true;
  }

  #subsample({ inputs: [x], output, axis, stride }: Subsample): boolean {
    const rows = this.#strided.get(x);
    if (axis === 2) {
      this.#strided.set(output, { from: x, stride, axes: 1 });
      return rows === undefined;
    }
    if (rows?.axes !== 1 || rows.stride !== stride) return false;
    this.#strided.set(output, { ...rows, axes: 2 });
    return true;
  }

  /** A convolution whose kernel is a single 1. */
  #channelPad({ inputs: [x], output, before }: ChannelPad): boolean {
    const { from, stride, axes } = this.#strided.get(x) ?? { from: x, stride: 1, axes: 2 };
    if (axes !== 2) return false;
    const [inputs, height, width] = from.shape as [number, number, number];
    const [outputs, outHeight, outWidth] = output.shape as [number, number, number];
    const ones = new Float32Array(outputs * inputs);
    for (let input = 0; input < inputs; input++) ones[(before + input) * inputs + input] = 1;
    const weight = fixedConstant(ones, { shape: [outputs, inputs, 1, 1], name: 'constant' });
    return this.#begin(output, {
      kind: 'convolution',
      from,
      other: null,
      weight,
      bias: null,
      geometry: {
        inputs,
        outputs,
        kernel: 1,
        stride,
        top: 0,
        left: 0,
        groups: 1,
        height,
        width,
        outHeight,
        outWidth,
      },
    });
  }

  /** A step that may take up what follows. What it reads is computed before. */
  #begin(output: Value, open: Open): true {
    this.#number(open.from);
    this.#open.set(output, open);
    return true;
  }

  #isReadOnce(value: Value): boolean {
    return this.#uses.get(value) === 1;
  }

  /** The number of a value, for which an open step that makes it is closed. */
  #number(value: Value): ValueNumber {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const open = this.#open.get(value);
    if (open === undefined) {
      if (value !== this.#loaded) this.#isComplete = false;
      return this.#newNumber(value);
    }
    this.#open.delete(value);
    return this.#close(value, open, null);
  }

  #close(output: Value, open: Open, curve: Curve | null): ValueNumber {
    const from = this.#number(open.from);
    const other = open.other === null ? null : this.#number(open.other);
    const to = this.#newNumber(output);
    if (open.kind === 'convolution') {
      const { kind, weight, bias, geometry } = open;
      this.#steps.push({ kind, from, to, other, curve, keeps: curve !== null, weight, bias, geometry });
    } else {
      const { kind, affine } = open;
      const keeps = curve !== null || affine !== null;
      this.#steps.push({ kind, from, to, other, curve, keeps, affine, channels: output.shape[0]! });
    }
    return to;
  }

  #newNumber(value: Value): ValueNumber {
    const number = this.#sizes.push(value.shape.reduce((product, each) => product * each, 1)) - 1;
    this.#numbers.set(value, number);
    return number;
  }
}

/** Whether the engine has a kernel for these groups: native/tap_convolution_kernel.h. */
function isServed(groups: number, { inputs, outputs }: Pick<Geometry, 'inputs' | 'outputs'>): boolean {
  const isPowerOfTwo = Number.isInteger(Math.log2(inputs / groups));
  return groups === 1 || (inputs === outputs && inputs % 8 === 0 && isPowerOfTwo);
}

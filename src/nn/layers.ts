import { InputError } from '../errors.js';
import { cat, stack, zeros } from '../tensor/create.js';
import {
  batchNorm,
  conv2d,
  convolveNormActivate,
  linear,
  normActivate,
  type PreparedConvolution,
} from '../tensor/functional.js';
import { noGrad } from '../tensor/gradient.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ActivationLayer } from './activation-layer.js';
import { type Initialiser, metaTensor } from './initialise.js';
import { Module, type Pass, type ShapeObserver } from './module.js';
import { roundedWeights } from './rounded-weights.js';
import { type Padding, padSame } from './same-padding.js';

export interface Conv2dOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride?: number;
  /** Number of groups, as in PyTorch; equal to `inputs` for a depthwise convolution. @default 1 */
  readonly groups?: number;
  /** @default false, as a batch norm follows */
  readonly bias?: boolean;
  /** @default 'symmetric' */
  readonly padding?: Padding | undefined;
  /** Fan-out of the initialisation. @default outputs · kernel² */
  readonly fanOut?: number;
  readonly initialiser: Initialiser;
}

/**
 * A convolution, padded so that stride 1 preserves the resolution. Its weights are channels-last, and so are the
 * activations after it: the fastest memory format on the CPU (docs/performance.md).
 */
export class Conv2d extends Module {
  readonly weight: Tensor; // [O, I / groups, K, K]
  readonly bias: Tensor | null = null; // [O]
  readonly kernel: number;
  readonly stride: number;
  /** Padding on each side, after `pad`. */
  readonly padding: number;
  readonly groups: number;
  readonly #isUneven: boolean;

  constructor(options: Conv2dOptions) {
    super();
    const { inputs, outputs, kernel, stride = 1, groups = 1, fanOut, initialiser } = options;
    const weight = initialiser.he([outputs, inputs / groups, kernel, kernel], fanOut);
    this.weight = this.parameter('weight', weight);
    if (options.bias) this.bias = this.parameter('bias', initialiser.constant([outputs], 0));
    this.kernel = kernel;
    this.stride = stride;
    this.groups = groups;
    // With stride 1 SAME is symmetric: no separate operator.
    this.#isUneven = options.padding === 'same' && stride > 1 && kernel > 1;
    this.padding = this.#isUneven ? 0 : (kernel - 1) / 2;
  }

  /** The input with the part of the padding that differs from side to side: TensorFlow's `SAME`. */
  pad(x: Tensor): Tensor {
    return this.#isUneven ? padSame(x, this) : x;
  }

  /** [N, I, H, W] → [N, O, ⌈H / stride⌉, ⌈W / stride⌉] */
  forward(x: Tensor, pass: Pass): Tensor {
    if (pass.shapeObserver !== undefined) return observeShape(this, x, this.#outputOf(x), pass.shapeObserver);
    const { stride, padding, groups } = this;
    return multiply(this, this.pad(x), pass, (x, weight, bias) =>
      conv2d(x, weight, { bias, stride, padding, groups }),
    );
  }

  #outputOf(x: Tensor): number[] {
    const reduced = (size: number) => Math.floor((size - 1) / this.stride) + 1;
    return [x.dimension(0), this.weight.dimension(0), reduced(x.dimension(2)), reduced(x.dimension(3))];
  }
}

/** A layer's product of input and weights; in `computeDtype` of the pass, if there is one, from rounded weights. */
function multiply(
  layer: Module & { readonly weight: Tensor; readonly bias: Tensor | null },
  x: Tensor,
  pass: Pass,
  product: (x: Tensor, weight: Tensor, bias: Tensor | null) => Tensor,
): Tensor {
  const { weight, bias } = layer;
  if (pass.computeDtype === undefined) return product(x, weight, bias);
  const { rounded, roundedBias } = roundedWeights(layer, pass.computeDtype, pass);
  return product(x, rounded, roundedBias);
}

/** Reports the shapes of a layer and returns a meta tensor in place of its output. */
function observeShape(layer: Module, x: Tensor, output: readonly number[], observe: ShapeObserver): Tensor {
  observe(layer, x.shape, output);
  return metaTensor(output);
}

/** Batch normalisation over each channel of [N, C, H, W], with PyTorch's momentum. */
export class BatchNorm2d extends Module {
  static readonly momentum = 0.1;
  /** PyTorch's. */
  static readonly standardEpsilon = 1e-5;

  /** Added to the variance; set by whoever builds the network, before its first pass. */
  epsilon: number = BatchNorm2d.standardEpsilon;

  readonly weight: Tensor; // [C]
  readonly bias: Tensor; // [C]
  readonly runningMean: Tensor; // [C]
  readonly runningVariance: Tensor; // [C]
  readonly #batches: Tensor; // scalar, stored for compatibility with PyTorch's state dicts

  constructor(options: {
    readonly channels: number;
    readonly zeroScale?: boolean;
    readonly initialiser: Initialiser;
  }) {
    super();
    const { channels, zeroScale = false, initialiser } = options;
    const each = (value: 0 | 1) => initialiser.constant([channels], value);
    this.weight = this.parameter('weight', each(zeroScale ? 0 : 1));
    this.bias = this.parameter('bias', each(0));
    this.runningMean = this.buffer('running_mean', each(0));
    this.runningVariance = this.buffer('running_var', each(1));
    this.#batches = this.buffer('num_batches_tracked', zeros([], 'int64'));
  }

  /** activation(norm(x) + residual), in one fused kernel unless the pass needs double backward. */
  forward(x: Tensor, pass: Pass, epilogue: Epilogue = {}): Tensor {
    const { train, keepStatistics = false } = pass;
    if (pass.shapeObserver !== undefined) {
      pass.shapeObserver(this, x.shape, x.shape);
      return x;
    }
    const running = train && keepStatistics ? null : this;
    if (train && !keepStatistics) this.#batches.addNumber_(1);
    if (train && pass.ghost !== undefined && pass.ghost !== x.dimension(0))
      return this.#forwardGroups(x, { ...pass, ghost: pass.ghost }, epilogue);
    return this.#forwardWhole(x, pass, epilogue, running);
  }

  /** By the statistics of one batch; `running` are the running statistics, null in training to leave them. */
  #forwardWhole(x: Tensor, pass: Pass, epilogue: Epilogue, running: RunningStatistics | null): Tensor {
    const { train, synchronised = false, doubleBackward = false } = pass;
    const { residual, activation } = epilogue;
    const options = {
      weight: this.weight,
      bias: this.bias,
      runningMean: running?.runningMean ?? null,
      runningVariance: running?.runningVariance ?? null,
      train,
      momentum: BatchNorm2d.momentum,
      epsilon: this.epsilon,
      synchronised,
    };
    if (doubleBackward) return applyEpilogue(batchNorm(x, options), epilogue, pass);
    return normActivate(x, { ...options, residual, ...(activation?.kernelOptions(pass) ?? identity) });
  }

  /** By the statistics of each group; the running ones become the mean of what each group would make of them. */
  #forwardGroups(x: Tensor, pass: Pass & { readonly ghost: number }, epilogue: Epilogue): Tensor {
    const { ghost, keepStatistics = false } = pass;
    const { residual, ...rest } = epilogue;
    const count = x.dimension(0);
    if (count % ghost !== 0)
      throw InputError.expected(`a multiple of the ${ghost} images of ghost batch norm`, 'a batch', count);
    return scope(() => {
      const residuals = residual?.split(ghost);
      const moved: RunningStatistics[] = [];
      const outputs = x.split(ghost).map((part, group) => {
        const running = keepStatistics
          ? null
          : { runningMean: this.runningMean.clone(), runningVariance: this.runningVariance.clone() };
        if (running !== null) moved.push(running);
        const own = residuals?.[group];
        return this.#forwardWhole(part, pass, { ...rest, ...(own && { residual: own }) }, running);
      });
      if (moved.length > 0)
        noGrad(() => {
          this.runningMean.copy_(stack(moved.map(({ runningMean }) => runningMean)).mean([0]));
          this.runningVariance.copy_(stack(moved.map(({ runningVariance }) => runningVariance)).mean([0]));
        });
      return cat(outputs);
    });
  }

  /** activation(norm(convolution(x)) + residual) in evaluation mode, with a fused epilogue. */
  forwardFused(
    x: Tensor,
    convolution: PreparedConvolution,
    { residual, activation }: Epilogue,
    pass: Pass,
  ): Tensor {
    const { weight, bias, runningMean, runningVariance, epsilon } = this;
    const norm = { weight, bias, runningMean, runningVariance, epsilon };
    return convolveNormActivate(x, convolution, {
      ...norm,
      residual,
      ...(activation?.kernelOptions(pass) ?? identity),
    });
  }
}

interface RunningStatistics {
  readonly runningMean: Tensor; // [C]
  readonly runningVariance: Tensor; // [C]
}

/** Operations after a batch norm: the residual to add, then the activation. */
export interface Epilogue {
  readonly residual?: Tensor;
  readonly activation?: ActivationLayer;
}

const identity = { curve: { kind: 'identity' } } as const;

/** activation(x + residual) */
export function applyEpilogue(x: Tensor, { residual, activation }: Epilogue, pass: Pass): Tensor {
  const sum = residual === undefined ? x : x.add(residual);
  return activation === undefined ? sum : activation.forward(sum, pass);
}

/**
 * x · weightᵀ + bias; weights from N(0, deviation²), by default N(0, 1 / fan-in), so that the initial logits have the
 * magnitude of the features; bias 0.
 */
export class Linear extends Module {
  readonly weight: Tensor; // [O, I]
  readonly bias: Tensor; // [O]

  constructor(options: {
    readonly inputs: number;
    readonly outputs: number;
    readonly deviation?: number;
    readonly initialiser: Initialiser;
  }) {
    super();
    const { inputs, outputs, deviation = Math.sqrt(1 / inputs), initialiser } = options;
    this.weight = this.parameter('weight', initialiser.normal([outputs, inputs], deviation));
    this.bias = this.parameter('bias', initialiser.constant([outputs], 0));
  }

  /** [N, I] → [N, O] */
  forward(x: Tensor, pass: Pass): Tensor {
    if (pass.shapeObserver !== undefined)
      return observeShape(this, x, [x.dimension(0), this.weight.dimension(0)], pass.shapeObserver);
    return multiply(this, x, pass, linear);
  }
}

import { requireArgument } from '../user-input/require-argument.js';
import { operator } from './operator.js';
import { handleOf, one, optionalHandle, several, type Tensor } from './tensor.js';

/**
 * 2-D cross-correlation: Σ over channels and window of w · x (+ bias). x [N, C, H, W], weight [O, C / groups, K, K] →
 * [N, O, H', W']; with groups, each group of input channels is connected to O / groups outputs.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  options: {
    readonly bias?: Tensor | null;
    readonly stride?: number;
    readonly padding?: number;
    readonly groups?: number;
  } = {},
): Tensor {
  requireArgument(options, 'options', 'conv2d');
  const { bias, stride = 1, padding = 0, groups = 1 } = options;
  if (groups !== 1)
    return one(
      groupedConv2dOperator,
      handleOf(x, 'x of conv2d'),
      handleOf(weight, 'weight of conv2d'),
      optionalHandle(bias, 'bias of conv2d'),
      [stride, stride],
      [padding, padding],
      [1, 1],
      groups,
    );
  return one(
    conv2dOperator,
    handleOf(x, 'x of conv2d'),
    handleOf(weight, 'weight of conv2d'),
    optionalHandle(bias, 'bias of conv2d'),
    [stride, stride],
    [padding, padding],
  );
}

/** x · weightᵀ + bias. x [N, I], weight [O, I] → [N, O]. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  return one(
    linearOperator,
    handleOf(x, 'x of linear'),
    handleOf(weight, 'weight of linear'),
    optionalHandle(bias, 'bias of linear'),
  );
}

export interface BatchNormOptions {
  readonly weight: Tensor;
  readonly bias: Tensor;
  /** null in training mode to leave the running statistics unchanged. */
  readonly runningMean: Tensor | null;
  readonly runningVariance: Tensor | null;
  /** Use batch statistics and update the running ones; otherwise use the running ones. */
  readonly train: boolean;
  readonly momentum: number;
  readonly epsilon: number;
  /** Compute batch statistics over the images of all ranks, which have equal batch sizes. @default false */
  readonly synchronised?: boolean;
}

/** (x − mean) / √(variance + ε) · weight + bias per channel. x [N, C, H, W]. Ioffe and Szegedy, 2015. */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor {
  requireArgument(options, 'options', 'batchNorm');
  const { weight, bias, runningMean, runningVariance, train, momentum, epsilon } = options;
  if (train && options.synchronised === true)
    return one(
      synchronisedBatchNormOperator,
      handleOf(x, 'x of batchNorm'),
      handleOf(weight, 'weight of batchNorm'),
      handleOf(bias, 'bias of batchNorm'),
      optionalHandle(runningMean, 'runningMean of batchNorm'),
      optionalHandle(runningVariance, 'runningVariance of batchNorm'),
      momentum,
      epsilon,
    );
  return one(
    batchNormOperator,
    handleOf(x, 'x of batchNorm'),
    handleOf(weight, 'weight of batchNorm'),
    handleOf(bias, 'bias of batchNorm'),
    optionalHandle(runningMean, 'runningMean of batchNorm'),
    optionalHandle(runningVariance, 'runningVariance of batchNorm'),
    train,
    momentum,
    epsilon,
    false,
  );
}

/** Activation functions implemented by the kernels; the numbers match the enumeration in the native code. */
export const activationKinds = {
  identity: 0,
  relu: 1,
  silu: 2,
  'leaky-relu': 3,
  softplus: 4,
  gelu: 5,
  'gelu-tanh': 6,
  elu: 7,
  celu: 8,
  mish: 9,
  'smooth-relu': 10,
  psilu: 11,
  pssilu: 12,
} as const;
export type ActivationKind = keyof typeof activationKinds;

/** An activation function implemented by the kernels, with its coefficients if any. */
export interface Curve {
  readonly kind: ActivationKind;
  readonly a?: number;
  readonly b?: number;
}

export interface ActivateOptions {
  /** The activation of the forward pass. */
  readonly curve: Curve;
  /** Learnable coefficients that replace those of `curve`, [1] or [2]; they receive a gradient. */
  readonly coefficients?: Tensor | undefined;
  /** Surrogate derivative: the activation whose derivative is used in the backward pass. */
  readonly derivative?: Curve | undefined;
}

/**
 * Applies f elementwise, in one memory pass forward and one backward, saving only x: Satin's own operator for float32
 * and float64 on the CPU and on CUDA, where it also takes half precision; composed of libtorch operators elsewhere. Second
 * derivatives are composed as well.
 */
export function activate(x: Tensor, { curve, coefficients, derivative }: ActivateOptions): Tensor {
  return one(
    activateOperator,
    handleOf(x, 'x of activate'),
    optionalHandle(coefficients, 'coefficients of activate'),
    activationArgument(curve, derivative),
  );
}

/**
 * The `activation` argument of Satin's operators: kind, a and b of the function, and of the surrogate if there is one.
 */
export function activationArgument(curve: Curve, derivative?: Curve): number[] {
  const { kind, a = 0, b = 0 } = curve;
  if (derivative === undefined) return [activationKinds[kind], a, b];
  return [
    activationKinds[kind],
    a,
    b,
    activationKinds[derivative.kind],
    derivative.a ?? 0,
    derivative.b ?? 0,
  ];
}

/**
 * activation(batchNorm(x) + residual) in one memory pass forward and two backward, saving only `x` and `residual`:
 * Satin's own operator for channels-last float32 on the CPU and on CUDA, where it also takes bfloat16; composed of libtorch
 * operators elsewhere. First derivatives only.
 */
export function normActivate(
  x: Tensor,
  options: BatchNormOptions & ActivateOptions & { readonly residual?: Tensor | undefined },
): Tensor {
  const { weight, bias, runningMean, runningVariance, train, momentum, epsilon } = options;
  const { residual, curve, coefficients, derivative, synchronised = false } = options;
  return one(
    normActivateOperator,
    x.handle,
    residual?.handle,
    weight.handle,
    bias.handle,
    runningMean?.handle,
    runningVariance?.handle,
    train,
    momentum,
    epsilon,
    coefficients?.handle,
    activationArgument(curve, derivative),
    synchronised,
  );
}

/**
 * activation(batchNorm(conv2d(x)) + residual) in evaluation mode: `conv2d` and `normActivate`, fused if no gradient is
 * required and Satin's convolution supports the shapes.
 */
export function convolveNormActivate(
  x: Tensor,
  convolution: PreparedConvolution,
  options: EvaluatedNorm & ActivateOptions & { readonly residual?: Tensor | undefined },
): Tensor {
  const { weight, bias, runningMean, runningVariance, epsilon } = options;
  const { residual, curve, coefficients, derivative } = options;
  const { stride, padding, transformed } = convolution;
  return one(
    convolveNormActivateOperator,
    x.handle,
    convolution.weight.handle,
    transformed?.[0].handle,
    transformed?.[1].handle,
    [stride, stride],
    [padding, padding],
    residual?.handle,
    weight.handle,
    bias.handle,
    runningMean.handle,
    runningVariance.handle,
    epsilon,
    coefficients?.handle,
    activationArgument(curve, derivative),
  );
}

export interface PreparedConvolution {
  readonly weight: Tensor;
  readonly stride: number;
  readonly padding: number;
  /** The result of `winogradWeights`, if the weight is used repeatedly. */
  readonly transformed?: readonly [forward: Tensor, backward: Tensor] | undefined;
}

/**
 * A convolution weight transformed for the Winograd algorithm, for the forward pass and for the gradient of the input;
 * null if Satin's convolution does not support it. Valid as long as the weight does not change.
 */
export function winogradWeights(weight: Tensor): readonly [forward: Tensor, backward: Tensor] | null {
  const [forward, backward] = several(winogradWeightsOperator, weight.handle) as [Tensor, Tensor];
  return forward.size === 0 ? null : [forward, backward];
}

/**
 * Weights [O, I, K, K] of a convolution as an execution plan takes them, forward or from its outputs back to its inputs.
 *
 * @param geometry the numbers of native/plan_steps.h
 */
export function planWeights(weight: Tensor, geometry: readonly number[], back: boolean): Tensor {
  return one(planWeightsOperator, weight.handle, geometry, back);
}

/** An execution plan as the engine takes it. */
interface EncodedPlan {
  readonly constants: readonly Tensor[];
  readonly numbers: Tensor;
  readonly curves: Tensor;
}

/** Logits of images by an execution plan (native/execution_plan.h), differentiable once with respect to the images. */
export function runPlan(images: Tensor, plan: EncodedPlan): Tensor {
  const constants = plan.constants.map(({ handle }) => handle);
  return one(runPlanOperator, images.handle, constants, plan.numbers.handle, plan.curves.handle);
}

/**
 * The same, up to rounding, for images that differ in few places from `near`: of the `leading` steps only the places that see a difference are
 * computed. `memory` [slots, numbers], at first of NaN, is changed. No gradient.
 */
export function runPlanNear(
  images: Tensor,
  neighbours: {
    readonly near: Tensor;
    readonly memory: Tensor;
    readonly slots: readonly number[];
    readonly leading: number;
  },
  plan: EncodedPlan,
): Tensor {
  const { near, memory, slots, leading } = neighbours;
  const constants = plan.constants.map(({ handle }) => handle);
  const { numbers, curves } = plan;
  return one(
    runPlanNearOperator,
    images.handle,
    near.handle,
    memory.handle,
    slots,
    leading,
    constants,
    numbers.handle,
    curves.handle,
  );
}

/** Batch norm with running statistics. */
export interface EvaluatedNorm {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;
  readonly epsilon: number;
}

export function matmul(a: Tensor, b: Tensor): Tensor {
  return one(matmulOperator, handleOf(a, 'a of matmul'), handleOf(b, 'b of matmul'));
}

/** Average pooling over windows of `size` x `size`. */
export function averagePool(x: Tensor, size: number, stride = size): Tensor {
  return one(averagePoolOperator, handleOf(x, 'x of averagePool'), [size, size], [stride, stride]);
}

/** Max pooling over windows of `size` x `size`. */
export function maxPool(
  x: Tensor,
  size: number,
  options: { readonly stride?: number; readonly padding?: number } = {},
): Tensor {
  requireArgument(options, 'options', 'maxPool');
  const { stride = size, padding = 0 } = options;
  return one(
    maxPoolOperator,
    handleOf(x, 'x of maxPool'),
    [size, size],
    [stride, stride],
    [padding, padding],
  );
}

/** Global average pooling. x [N, C, H, W] → [N, C]. */
export function globalAveragePool(x: Tensor): Tensor {
  handleOf(x, 'x of globalAveragePool');
  return x.mean([2, 3]);
}

/** Pads the last dimensions with `value`, last first: [left, right, top, bottom]. */
export function pad(x: Tensor, sizes: readonly number[], value = 0): Tensor {
  return one(constantPad, handleOf(x, 'x of pad'), sizes, value);
}

/** log(exp(xᵢ) / Σⱼ exp(xⱼ)) along `dimension`, numerically stable. */
export function logSoftmax(x: Tensor, dimension = -1): Tensor {
  return one(logSoftmaxOperator, handleOf(x, 'x of logSoftmax'), dimension);
}

export function softmax(x: Tensor, dimension = -1): Tensor {
  return one(softmaxOperator, handleOf(x, 'x of softmax'), dimension);
}

/** Mean and biased variance (divided by N) per channel. x [N, C, H, W]. */
export function channelMoments(x: Tensor): { mean: Tensor; variance: Tensor } {
  const [variance, mean] = several(varianceAndMean, x.handle, [0, 2, 3], false, false);
  return { mean: mean!, variance: variance! };
}

const conv2dOperator = operator('satin::conv2d');
const groupedConv2dOperator = operator('aten::conv2d');
const linearOperator = operator('aten::linear');
const batchNormOperator = operator('aten::batch_norm');
const synchronisedBatchNormOperator = operator('satin::synchronised_batch_norm');
const activateOperator = operator('satin::activate');
const convolveNormActivateOperator = operator('satin::convolve_norm_activate');
const winogradWeightsOperator = operator('satin::winograd_weights');
const planWeightsOperator = operator('satin::plan_weights');
const runPlanOperator = operator('satin::run_plan');
const runPlanNearOperator = operator('satin::run_plan_near');
const normActivateOperator = operator('satin::norm_activate');
const matmulOperator = operator('aten::matmul');
const averagePoolOperator = operator('aten::avg_pool2d');
const maxPoolOperator = operator('aten::max_pool2d');
const constantPad = operator('aten::constant_pad_nd');
const logSoftmaxOperator = operator('aten::log_softmax', 'int');
const softmaxOperator = operator('aten::softmax', 'int');
const varianceAndMean = operator('aten::var_mean', 'dim');

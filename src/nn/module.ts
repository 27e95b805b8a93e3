import type { Activation } from '../activations/activation.js';
import { keep } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { DropoutContext } from './dropout.js';

/**
 * Cached weights of a layer for evaluation: weight and bias with the following batch norm folded in, weights transformed
 * for Satin's Winograd kernel, forward and backward, or weight and bias in another dtype. Empty if the original weights
 * are used.
 */
export type FoldedWeights = readonly Tensor[];

/** Settings of one forward pass, passed to every layer's `forward`. */
export interface Pass {
  /** Batch norm uses batch statistics and updates its running statistics; otherwise it uses the running statistics. */
  readonly train: boolean;
  /** With `train`: does not update the running statistics, as in an attack. */
  readonly keepStatistics?: boolean;
  /**
   * With `train`: batch statistics over all ranks (sync batch norm), so that all ranks must run the network together.
   */
  readonly synchronised?: boolean;
  /**
   * With `train`: batch statistics of each group of this many consecutive images (ghost batch norm; Hoffer et al., 2017),
   * which must divide the batch. The running statistics move once, by the mean of the groups' statistics.
   */
  readonly ghost?: number | undefined;
  /**
   * Surrogate derivative: the backward pass of every activation uses the derivative of this one (Table 1 of the paper).
   */
  readonly derivative?: Activation;
  /**
   * The network computes in bfloat16: activations are bfloat16 from the first layer to the logits, statistics and sums
   * are accumulated in float32. Weights and their gradients are float32.
   */
  readonly computeDtype?: 'bfloat16';
  /** Uses only operators that support double backward. */
  readonly doubleBackward?: boolean;
  /** Evaluation with constant weights: cache of folded or transformed weights by convolution. */
  readonly folded?: Map<Module, FoldedWeights>;
  /** Enables dropout and stochastic depth; set in updates of the weights only. */
  readonly drop?: DropoutContext;
  /** Convolutions, batch norms and linear layers report their shapes and return meta tensors without computing. */
  readonly shapeObserver?: ShapeObserver;
}

/** Called for each convolution, batch norm and linear layer in forward order with the shapes of input and output. */
export type ShapeObserver = (layer: Module, input: readonly number[], output: readonly number[]) => void;

/**
 * Base class of networks and layers, as in PyTorch: owns parameters, buffers and child modules under PyTorch's names.
 * Subclasses define `forward`.
 */
export abstract class Module {
  readonly #parameters = new Map<string, Tensor>();
  readonly #buffers = new Map<string, Tensor>();
  readonly #children = new Map<string, Module>();
  #owned = false;

  /** Registers a parameter. */
  protected parameter(name: string, tensor: Tensor): Tensor {
    this.#parameters.set(name, keep(tensor.requireGrad_()));
    return tensor;
  }

  /** Registers a buffer. */
  protected buffer(name: string, tensor: Tensor): Tensor {
    this.#buffers.set(name, keep(tensor));
    return tensor;
  }

  /** Registers a child module; a shared one belongs to its first parent. */
  protected child<M extends Module>(name: string, module: M): M {
    if (!module.#owned) this.#children.set(name, module);
    module.#owned = true;
    return module;
  }

  /** All parameters by qualified name, such as `layer1.0.conv1.weight`, in PyTorch's order. */
  parameters(): Map<string, Tensor> {
    const all = new Map(this.#parameters);
    for (const [name, module] of this.#children)
      for (const [inner, tensor] of module.parameters()) all.set(`${name}.${inner}`, tensor);
    return all;
  }

  /** Parameters and buffers by qualified name, in the order of a PyTorch state dict. */
  state(): Map<string, Tensor> {
    const all = new Map([...this.#parameters, ...this.#buffers]);
    for (const [name, module] of this.#children)
      for (const [inner, tensor] of module.state()) all.set(`${name}.${inner}`, tensor);
    return all;
  }

  /** This module and all descendants with their qualified names. */
  *modules(name = ''): Generator<readonly [name: string, module: Module]> {
    yield [name, this];
    for (const [inner, module] of this.#children)
      yield* module.modules(name === '' ? inner : `${name}.${inner}`);
  }

  /** Runs `body` with `requiresGrad` off for all parameters: an attack needs gradients of the images only. */
  frozen<T>(body: () => T): T {
    const parameters = [...this.parameters().values()].filter((parameter) => parameter.requiresGrad);
    for (const parameter of parameters) parameter.requireGrad_(false);
    try {
      return body();
    } finally {
      for (const parameter of parameters) parameter.requireGrad_(true);
    }
  }

  /** Moves all parameters and buffers to another device. */
  moveTo(device: string): void {
    for (const tensor of this.state().values()) tensor.moveTo_(device);
  }

  /** Frees all parameters and buffers. */
  dispose(): void {
    for (const tensor of this.state().values()) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

import type { Activation } from '../activations/activation.js';
import { keep } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Dropping } from './dropout.js';

/**
 * A convolution's weights in the form that evaluation takes: weight and bias with the batch norm behind it folded in, or
 * transformed for Satin's own convolution, forward and backward. Empty where it is taken as it is.
 */
export type FoldedWeights = readonly [Tensor, Tensor] | readonly [];

/** How a network is run this time; handed to every layer's `forward`. */
export interface Pass {
  /** Batch statistics in batch norm, which also move the running ones; otherwise the running ones are used. */
  readonly train: boolean;
  /** With `train`: the running statistics stay as they are (an attack must not move them). */
  readonly keepStatistics?: boolean;
  /** With `train`: batch statistics over the images of all ranks, so that all must run the network together. */
  readonly synchronised?: boolean;
  /** Every activation keeps its values and takes the derivative of this one (Table 1 of the paper). */
  readonly derivative?: Activation;
  /** Convolutions and linear layers multiply numbers rounded to bfloat16; all else, and every gradient, is float32. */
  readonly products?: 'bfloat16';
  /** The network is to be differentiated twice: only operators that can be are used. */
  readonly twice?: boolean;
  /** Evaluation with weights that do not change: their other forms, kept by the convolution that they belong to. */
  readonly folded?: Map<Module, FoldedWeights>;
  /** Parts of the network are left out at random (dropout, stochastic depth); an update of the weights alone does so. */
  readonly drop?: Dropping;
  /** Layers with weights only tell what they would make of what, and hand on tensors without numbers of their own. */
  readonly outline?: Outline;
}

/** Told of each convolution and linear layer in turn: the shapes of its input and its output. */
export type Outline = (layer: Module, input: readonly number[], output: readonly number[]) => void;

/**
 * A part of a network that owns tensors: parameters (trained), buffers (kept, not trained) and other modules, each
 * under the name that PyTorch gives it. What it computes is its subclass's `forward`.
 */
export abstract class Module {
  readonly #parameters = new Map<string, Tensor>();
  readonly #buffers = new Map<string, Tensor>();
  readonly #children = new Map<string, Module>();
  #owned = false;

  /** Owns a trained tensor under `name`. */
  protected parameter(name: string, tensor: Tensor): Tensor {
    this.#parameters.set(name, keep(tensor.requireGrad_()));
    return tensor;
  }

  /** Owns an untrained tensor under `name`. */
  protected buffer(name: string, tensor: Tensor): Tensor {
    this.#buffers.set(name, keep(tensor));
    return tensor;
  }

  /** Owns another module under `name`; one that is shared belongs to the first who asks. */
  protected child<M extends Module>(name: string, module: M): M {
    if (!module.#owned) this.#children.set(name, module);
    module.#owned = true;
    return module;
  }

  /** Every parameter by its whole name, `layer1.0.conv1.weight`, in PyTorch's order. */
  parameters(): Map<string, Tensor> {
    const all = new Map(this.#parameters);
    for (const [name, module] of this.#children)
      for (const [inner, tensor] of module.parameters()) all.set(`${name}.${inner}`, tensor);
    return all;
  }

  /** Parameters and buffers by their whole names, in the order of a PyTorch state dict. */
  state(): Map<string, Tensor> {
    const all = new Map([...this.#parameters, ...this.#buffers]);
    for (const [name, module] of this.#children)
      for (const [inner, tensor] of module.state()) all.set(`${name}.${inner}`, tensor);
    return all;
  }

  /** Every module inside with its whole name, this one first. */
  *modules(name = ''): Generator<readonly [name: string, module: Module]> {
    yield [name, this];
    for (const [inner, module] of this.#children)
      yield* module.modules(name === '' ? inner : `${name}.${inner}`);
  }

  /** Runs `body` with no parameter asking for a gradient: an attack needs the image's alone. */
  frozen<T>(body: () => T): T {
    const parameters = [...this.parameters().values()].filter((parameter) => parameter.requiresGrad);
    for (const parameter of parameters) parameter.requireGrad_(false);
    try {
      return body();
    } finally {
      for (const parameter of parameters) parameter.requireGrad_(true);
    }
  }

  /** Moves every tensor it owns to another device. */
  moveTo(device: string): void {
    for (const tensor of this.state().values()) tensor.moveTo_(device);
  }

  /** Frees every tensor it owns. */
  dispose(): void {
    for (const tensor of this.state().values()) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

import type { Activation } from '../activations/activation.js';
import { parseActivation } from '../activations/parse.js';
import { InputError } from '../errors.js';
import { activationLayers } from '../nn/activation-layer.js';
import type { Classifier } from '../nn/classifier.js';
import { Initialiser, ZeroInitialiser } from '../nn/initialise.js';
import type { FoldedWeights, Module, Pass } from '../nn/module.js';
import { tensor } from '../tensor/create.js';
import { keep, scope } from '../tensor/scope.js';
import type { Dtype, Tensor } from '../tensor/tensor.js';
import type { Architecture } from './architectures/architecture.js';
import { architectures } from './architectures/registry.js';
import type { ModelDescription } from './description.js';

/** A network with its normalisation as the first layer: what is trained, attacked and kept. */
export class Model {
  readonly #mean: Tensor | null; // [1, C, 1, 1]
  readonly #deviation: Tensor | null; // [1, C, 1, 1]

  private constructor(
    readonly description: ModelDescription,
    readonly network: Architecture,
    dtype: Dtype,
  ) {
    const channels = description.shape[0];
    const constant = (values: readonly number[] | undefined) => {
      if (values === undefined) return null;
      if (values.length !== channels)
        throw InputError.expected(`${channels} numbers, one a channel,`, 'normalise', values);
      return keep(scope(() => tensor(Float64Array.from(values), [1, channels, 1, 1]).to(dtype)));
    };
    this.#mean = constant(description.normalise?.mean);
    this.#deviation = constant(description.normalise?.std);
  }

  /** A new network with weights drawn from `seed`; null: zeros, for weights that are loaded. */
  static create(
    description: ModelDescription,
    options: { readonly seed: number | null; readonly dtype?: Dtype; readonly device?: string },
  ): Model {
    const { seed, dtype = 'float32', device = 'cpu' } = options;
    const network = architectures[description.architecture]({
      channels: description.shape[0],
      classes: description.classes.length,
      width: description.width,
      activate: activationLayers(parseActivation(description.activation), dtype),
      initialiser: seed === null ? new ZeroInitialiser(dtype) : new Initialiser(seed, dtype),
    });
    // Drawn on the CPU and then moved: a seed means the same weights everywhere.
    const model = new Model(description, network, dtype);
    for (const tensor of [model.#mean, model.#deviation]) tensor?.moveTo_(device);
    network.moveTo(device);
    return model;
  }

  /** The tensors of the first layer, for who writes the model elsewhere: `mean` and `std`, or none. */
  get normalisation(): ReadonlyMap<string, Tensor> {
    return this.#mean === null || this.#deviation === null
      ? new Map()
      : new Map([
          ['mean', this.#mean],
          ['std', this.#deviation],
        ]);
  }

  /** Logits [N, classes] of pixels in [0, 1], [N, C, H, W]. */
  forward(x: Tensor, pass: Pass): Tensor {
    // What lies between is held by the gradient's history alone, which lets go of it as the backward pass goes on.
    return scope(() => {
      const normalised =
        this.#mean === null || this.#deviation === null ? x : x.sub(this.#mean).div(this.#deviation);
      return this.network.forward(normalised, pass);
    });
  }

  /** The network as it is, in evaluation mode: what decides whether an example is broken. */
  readonly classify: Classifier = (x) => this.forward(x, { train: false });

  /**
   * The same function in evaluation mode, faster: batch norms computed with the activations behind them or folded into
   * the convolutions before them (equal up to rounding), and no gradient for any weight. Holds as long as the weights
   * do not change. With `derivative` its gradient is that of a network with another activation's derivative. This is the place where a faster plan of execution for a network goes.
   */
  fold(options: { readonly derivative?: Activation } = {}): Disposable & { readonly classify: Classifier } {
    const folded = new Map<Module, FoldedWeights>();
    const pass = { ...options, train: false, folded };
    return {
      classify: (x) => this.network.frozen(() => this.forward(x, pass)),
      [Symbol.dispose]: () => {
        for (const weights of folded.values()) for (const tensor of weights) tensor.dispose();
        folded.clear();
      },
    };
  }

  /** How many numbers are trained. */
  get parameterCount(): number {
    return [...this.network.parameters().values()].reduce((sum, parameter) => sum + parameter.size, 0);
  }

  dispose(): void {
    this.network.dispose();
    this.#mean?.dispose();
    this.#deviation?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

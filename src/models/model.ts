import { parseActivation } from '../activations/parse.js';
import { InputError } from '../errors.js';
import { FoldedConvolutions } from '../nn/fold.js';
import { Initialiser } from '../nn/initialise.js';
import type { Pass } from '../nn/module.js';
import { tensor } from '../tensor/create.js';
import { keep, scope } from '../tensor/scope.js';
import type { Dtype, Tensor } from '../tensor/tensor.js';
import type { Architecture } from './architecture.js';
import type { ModelName } from './names.js';
import { architectures } from './registry.js';

/** Everything that a network is, apart from its weights; kept with them. */
export interface ModelDescription {
  readonly name: ModelName;
  readonly width: number;
  readonly activation: string;
  readonly classes: readonly string[];
  /** Channels, height, width of the images. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** Taken from pixels in [0, 1] before the first layer, channel by channel. */
  readonly normalise: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/** From pixels in [0, 1], [N, C, H, W], to logits [N, classes]: all that an attack knows of a network. */
export type Classifier = (x: Tensor) => Tensor;

/** A network with its normalisation as the first layer: what is trained, attacked and kept. */
export class Model {
  readonly #mean: Tensor; // [1, C, 1, 1]
  readonly #deviation: Tensor; // [1, C, 1, 1]

  private constructor(
    readonly description: ModelDescription,
    readonly network: Architecture,
    dtype: Dtype,
  ) {
    const channels = description.shape[0];
    const { mean, std } = description.normalise;
    if (mean.length !== channels || std.length !== channels)
      throw InputError.expected(
        `${channels} numbers, one a channel,`,
        'normalise',
        `${mean.length} means and ${std.length} deviations`,
      );
    const constant = (values: readonly number[]) =>
      keep(scope(() => tensor(Float64Array.from(values), [1, channels, 1, 1]).to(dtype)));
    this.#mean = constant(mean);
    this.#deviation = constant(std);
  }

  /** A new network with weights drawn from `seed`. */
  static create(
    description: ModelDescription,
    options: { readonly seed: number; readonly dtype?: Dtype },
  ): Model {
    const { seed, dtype = 'float32' } = options;
    const network = architectures[description.name]({
      channels: description.shape[0],
      classes: description.classes.length,
      width: description.width,
      activation: parseActivation(description.activation),
      initialiser: new Initialiser(seed, dtype),
    });
    return new Model(description, network, dtype);
  }

  /** Logits [N, classes] of pixels in [0, 1], [N, C, H, W]. */
  forward(x: Tensor, pass: Pass): Tensor {
    return this.network.forward(x.sub(this.#mean).div(this.#deviation), pass);
  }

  /** The network as it is, in evaluation mode: what decides whether an example is broken. */
  readonly classify: Classifier = (x) => this.forward(x, { train: false });

  /**
   * The same function in evaluation mode, faster: batch norms folded into convolutions (equal up to rounding). Holds
   * as long as the weights do not change. This is the place where a faster plan of execution for a network goes.
   */
  fastClassifier(): Classifier {
    const pass: Pass = { train: false, folded: new FoldedConvolutions() };
    return (x) => this.forward(x, pass);
  }

  /** How many numbers are trained. */
  get parameterCount(): number {
    return [...this.network.parameters().values()].reduce((sum, parameter) => sum + parameter.size, 0);
  }

  dispose(): void {
    this.network.dispose();
    this.#mean.dispose();
    this.#deviation.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

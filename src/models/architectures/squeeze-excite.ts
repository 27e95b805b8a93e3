import type { ActivationLayer } from '../../nn/activation-layer.js';
import { type Initialiser, metaTensor } from '../../nn/initialise.js';
import { Conv2d } from '../../nn/layers.js';
import { Module, type Pass } from '../../nn/module.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Squeeze-and-excitation (Hu et al., 2018): x · sigmoid(expand(activation(reduce(mean of x over H and W)))). */
export class SqueezeExcite extends Module {
  readonly #reduce: Conv2d;
  readonly #expand: Conv2d;
  readonly #act1: ActivationLayer;

  constructor(options: {
    readonly channels: number;
    readonly reduced: number;
    readonly activate: () => ActivationLayer;
    readonly initialiser: Initialiser;
  }) {
    super();
    const { channels, reduced, activate, initialiser } = options;
    this.#reduce = this.child(
      'conv_reduce',
      new Conv2d({ inputs: channels, outputs: reduced, kernel: 1, bias: true, initialiser }),
    );
    this.#expand = this.child(
      'conv_expand',
      new Conv2d({ inputs: reduced, outputs: channels, kernel: 1, bias: true, initialiser }),
    );
    this.#act1 = this.child('act1', activate());
  }

  /** [N, C, H, W] → [N, C, H, W] */
  forward(x: Tensor, pass: Pass): Tensor {
    if (pass.shapeObserver === undefined) return x.mul(this.#gate(x.mean([2, 3], true), pass));
    this.#gate(metaTensor([x.dimension(0), x.dimension(1), 1, 1]), pass);
    return x;
  }

  /** Channel attention: [N, C, 1, 1] → [N, C, 1, 1], in [0, 1]. */
  #gate(mean: Tensor, pass: Pass): Tensor {
    const reduced = this.#act1.forward(this.#reduce.forward(mean, pass), pass); // [N, R, 1, 1]
    return this.#expand.forward(reduced, pass).sigmoid();
  }
}

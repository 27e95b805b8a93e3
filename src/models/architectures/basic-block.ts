import type { ActivationLayer } from '../../nn/activation-layer.js';
import { convolve } from '../../nn/fused-block.js';
import { BatchNorm2d, Conv2d } from '../../nn/layers.js';
import type { Pass } from '../../nn/module.js';
import { pad } from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ProjectionShortcut } from './shortcut.js';
import { Block, type BlockOptions, changesShape } from './stage.js';

/**
 * The basic residual block of He et al. (2016, CVPR): activation(F(x) + shortcut(x)), F = two 3x3 convolutions. If the
 * block changes the shape, the shortcut is a projection named by `shortcut`, or (`padded`, option A of the CIFAR
 * networks) strided subsampling with zeros for the new channels.
 */
export class BasicBlock extends Block {
  readonly #options: BlockOptions;
  readonly #conv1: Conv2d;
  readonly #bn1: BatchNorm2d;
  readonly #conv2: Conv2d;
  readonly #bn2: BatchNorm2d;
  readonly #projection: ProjectionShortcut | null = null;
  readonly #act1: ActivationLayer;
  readonly #act2: ActivationLayer;

  constructor(options: BlockOptions & { readonly shortcut: 'padded' | 'shortcut' | 'downsample' }) {
    super();
    const { inputs, outputs, stride, activate, initialiser } = options;
    this.#options = options;
    this.#conv1 = this.child('conv1', new Conv2d({ inputs, outputs, kernel: 3, stride, initialiser }));
    this.#bn1 = this.child('bn1', new BatchNorm2d({ channels: outputs, initialiser }));
    this.#conv2 = this.child('conv2', new Conv2d({ inputs: outputs, outputs, kernel: 3, initialiser }));
    // Initialising the residual branch to zero stabilises training (Goyal et al., 2017; as in the paper's code).
    this.#bn2 = this.child('bn2', new BatchNorm2d({ channels: outputs, zeroScale: true, initialiser }));
    if (options.shortcut !== 'padded' && changesShape(options))
      this.#projection = this.child(options.shortcut, new ProjectionShortcut(options));
    this.#act1 = this.child('act1', activate());
    this.#act2 = this.child('act2', activate());
  }

  forward(x: Tensor, pass: Pass): Tensor {
    const inner = convolve(x, this.#conv1, this.#bn1, { activation: this.#act1 }, pass);
    const epilogue = { residual: this.#shortcut(x, pass), activation: this.#act2 };
    return convolve(inner, this.#conv2, this.#bn2, epilogue, pass);
  }

  #shortcut(x: Tensor, pass: Pass): Tensor {
    if (this.#projection !== null) return this.#projection.forward(x, pass);
    const { inputs, outputs, stride } = this.#options;
    if (stride === 1 && inputs === outputs) return x;
    const before = Math.floor((outputs - inputs) / 2);
    const strided =
      stride === 1 ? x : x.slice(2, 0, x.dimension(2), stride).slice(3, 0, x.dimension(3), stride);
    return pad(strided, [0, 0, 0, 0, before, outputs - inputs - before]);
  }
}

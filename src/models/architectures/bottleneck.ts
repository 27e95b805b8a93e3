import type { ActivationLayer } from '../../nn/activation-layer.js';
import { convolve } from '../../nn/fused-block.js';
import { BatchNorm2d, Conv2d } from '../../nn/layers.js';
import type { Pass } from '../../nn/module.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ProjectionShortcut } from './shortcut.js';
import { Block, type BlockOptions, changesShape } from './stage.js';

/**
 * The bottleneck block of He et al. (2016, CVPR), version 1.5: 1x1, 3x3 and 1x1 convolutions with the stride in the 3x3
 * convolution; activation(F(x) + shortcut(x)). With groups, the block of ResNeXt (Xie et al., 2017).
 */
export class Bottleneck extends Block {
  readonly #conv1: Conv2d;
  readonly #bn1: BatchNorm2d;
  readonly #conv2: Conv2d;
  readonly #bn2: BatchNorm2d;
  readonly #conv3: Conv2d;
  readonly #bn3: BatchNorm2d;
  readonly #downsample: ProjectionShortcut | null = null;
  readonly #act1: ActivationLayer;
  readonly #act2: ActivationLayer;
  readonly #act3: ActivationLayer;

  /** `inner` is the number of channels of the 3x3 convolution. */
  constructor(options: BlockOptions & { readonly inner: number; readonly groups: number }) {
    super();
    const { inputs, outputs, stride, activate, initialiser, inner, groups } = options;
    this.#conv1 = this.child('conv1', new Conv2d({ inputs, outputs: inner, kernel: 1, initialiser }));
    this.#bn1 = this.child('bn1', new BatchNorm2d({ channels: inner, initialiser }));
    this.#conv2 = this.child(
      'conv2',
      new Conv2d({ inputs: inner, outputs: inner, kernel: 3, stride, groups, initialiser }),
    );
    this.#bn2 = this.child('bn2', new BatchNorm2d({ channels: inner, initialiser }));
    this.#conv3 = this.child('conv3', new Conv2d({ inputs: inner, outputs, kernel: 1, initialiser }));
    // Initialising the residual branch to zero stabilises training (Goyal et al., 2017; as in the paper's code).
    this.#bn3 = this.child('bn3', new BatchNorm2d({ channels: outputs, zeroScale: true, initialiser }));
    if (changesShape(options)) this.#downsample = this.child('downsample', new ProjectionShortcut(options));
    this.#act1 = this.child('act1', activate());
    this.#act2 = this.child('act2', activate());
    this.#act3 = this.child('act3', activate());
  }

  forward(x: Tensor, pass: Pass): Tensor {
    const narrow = convolve(x, this.#conv1, this.#bn1, { activation: this.#act1 }, pass);
    const inner = convolve(narrow, this.#conv2, this.#bn2, { activation: this.#act2 }, pass);
    const residual = this.#downsample === null ? x : this.#downsample.forward(x, pass);
    return convolve(inner, this.#conv3, this.#bn3, { residual, activation: this.#act3 }, pass);
  }
}

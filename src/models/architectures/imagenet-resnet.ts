import type { ActivationLayer } from '../../nn/activation-layer.js';
import { convolve } from '../../nn/fused-block.js';
import { BatchNorm2d, Conv2d, Linear } from '../../nn/layers.js';
import type { Pass } from '../../nn/module.js';
import { padSame } from '../../nn/same-padding.js';
import { globalAveragePool, maxPool } from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Architecture, type ArchitectureOptions, scaleChannels } from './architecture.js';
import { BasicBlock } from './basic-block.js';
import { Bottleneck } from './bottleneck.js';
import { type BlockOptions, Stage } from './stage.js';

/** Configuration of a ResNet for ImageNet. */
export interface ImageNetResNetShape {
  /** Blocks in each of the four stages. */
  readonly blocks: readonly number[];
  /** Bottleneck blocks; if omitted, basic blocks, which have no groups. */
  readonly bottleneck?: {
    /** Groups of the 3x3 convolution; more than 1 for ResNeXt. */
    readonly groups: number;
    /** Channels per group in the first stage, doubled in each later stage. */
    readonly groupWidth: number;
  };
}

/**
 * A residual network for large images (He et al., 2016; version 1.5; Xie et al., 2017), with torchvision's parameter
 * names: 7x7 stem and max pooling, four stages, global average pooling, linear layer.
 *
 * With `padding: same` the max pooling is padded as TensorFlow's `SAME`, as in the TPU code and in the smooth adversarial
 * training paper's; both pad the convolutions explicitly and symmetrically.
 */
export class ImageNetResNet extends Architecture {
  readonly head = 'fc';
  readonly #conv1: Conv2d;
  readonly #bn1: BatchNorm2d;
  readonly #act1: ActivationLayer;
  readonly #stages: readonly Stage[];
  readonly #fc: Linear;
  readonly #isSamePadded: boolean;

  constructor({ blocks, bottleneck }: ImageNetResNetShape, options: ArchitectureOptions) {
    super();
    const { channels, classes, width, padding, activate, initialiser } = options;
    this.#isSamePadded = padding === 'same';
    const planes = blocks.map((_, index) => scaleChannels(64 * 2 ** index, width));
    const expansion = bottleneck === undefined ? 1 : 4;
    const make = (block: BlockOptions) => {
      if (bottleneck === undefined) return new BasicBlock({ ...block, shortcut: 'downsample' });
      const { groups, groupWidth } = bottleneck;
      const inGroup = Math.max(1, Math.floor((block.outputs / expansion) * (groupWidth / 64)));
      return new Bottleneck({ ...block, groups, inner: inGroup * groups });
    };
    this.#conv1 = this.child(
      'conv1',
      new Conv2d({ inputs: channels, outputs: planes[0]!, kernel: 7, stride: 2, initialiser }),
    );
    this.#bn1 = this.child('bn1', new BatchNorm2d({ channels: planes[0]!, initialiser }));
    this.#act1 = this.child('act1', activate());
    this.#stages = planes.map((plane, index) => {
      const inputs = index === 0 ? plane : planes[index - 1]! * expansion;
      const [outputs, stride] = [plane * expansion, index === 0 ? 1 : 2];
      const stage = new Stage(blocks[index]!, { inputs, outputs, stride, activate, initialiser }, make);
      return this.child(`layer${index + 1}`, stage);
    });
    // N(0, 0.01²) as in the paper's code: the initial class probabilities are nearly uniform.
    this.#fc = this.child(
      'fc',
      new Linear({ inputs: planes.at(-1)! * expansion, outputs: classes, deviation: 0.01, initialiser }),
    );
  }

  /** [N, C, H, W] → [N, classes] */
  forward(x: Tensor, pass: Pass): Tensor {
    const stem = convolve(x, this.#conv1, this.#bn1, { activation: this.#act1 }, pass); // [N, 64, H / 2, W / 2]
    const pooled = this.#pool(stem); // [N, 64, H / 4, W / 4]
    const features = this.#stages.reduce((out, stage) => stage.forward(out, pass), pooled); // [N, F, H / 32, W / 32]
    return this.#fc.forward(globalAveragePool(features), pass);
  }

  #pool(x: Tensor): Tensor {
    if (!this.#isSamePadded) return maxPool(x, 3, { stride: 2, padding: 1 });
    return maxPool(padSame(x, { kernel: 3, stride: 2 }, Number.NEGATIVE_INFINITY), 3, { stride: 2 });
  }
}

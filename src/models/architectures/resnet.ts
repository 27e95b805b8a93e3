import type { ActivationLayer } from '../../nn/activation-layer.js';
import { convolve } from '../../nn/fused-block.js';
import { BatchNorm2d, Conv2d, Linear } from '../../nn/layers.js';
import type { Pass } from '../../nn/module.js';
import { globalAveragePool } from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Architecture, type ArchitectureOptions, scaleChannels } from './architecture.js';
import { BasicBlock } from './basic-block.js';
import { type BlockOptions, Stage } from './stage.js';

/** Configuration of a ResNet for small images. */
export interface ResNetShape {
  /** Channels of each stage; every stage after the first halves height and width. */
  readonly stages: readonly number[];
  /** Blocks in each stage. */
  readonly blocks: readonly number[];
  /** Parameter-free shortcuts (option A). */
  readonly padded: boolean;
}

/** The CIFAR network of He et al. (2016), section 4.2: three stages of n blocks, depth 6n + 2. */
export function cifarShape(depth: number): ResNetShape {
  const blocks = (depth - 2) / 6;
  return { stages: [16, 32, 64], blocks: [blocks, blocks, blocks], padded: true };
}

/** ResNet-18 with a 3x3 stem and no max pooling, the common variant for small images. */
export const resnet18Shape: ResNetShape = {
  stages: [64, 128, 256, 512],
  blocks: [2, 2, 2, 2],
  padded: false,
};

/** A residual network for small images: 3x3 stem, stages of basic blocks, global average pooling, linear layer. */
export class ResNet extends Architecture {
  readonly head = 'linear';
  readonly #conv1: Conv2d;
  readonly #bn1: BatchNorm2d;
  readonly #act1: ActivationLayer;
  readonly #stages: Stage[];
  readonly #linear: Linear;

  constructor(shape: ResNetShape, options: ArchitectureOptions) {
    super();
    const { channels, classes, width, activate, initialiser } = options;
    const stages = shape.stages.map((stage) => scaleChannels(stage, width));
    this.#conv1 = this.child(
      'conv1',
      new Conv2d({ inputs: channels, outputs: stages[0]!, kernel: 3, initialiser }),
    );
    this.#bn1 = this.child('bn1', new BatchNorm2d({ channels: stages[0]!, initialiser }));
    this.#act1 = this.child('act1', activate());
    this.#stages = stages.map((outputs, index) => {
      const inputs = stages[Math.max(0, index - 1)]!;
      const stride = index === 0 ? 1 : 2;
      const make = (block: BlockOptions) =>
        new BasicBlock({ ...block, shortcut: shape.padded ? 'padded' : 'shortcut' });
      const stage = new Stage(shape.blocks[index]!, { inputs, outputs, stride, activate, initialiser }, make);
      return this.child(`layer${index + 1}`, stage);
    });
    this.#linear = this.child(
      'linear',
      new Linear({ inputs: stages.at(-1)!, outputs: classes, initialiser }),
    );
  }

  /** [N, C, H, W] → [N, classes] */
  forward(x: Tensor, pass: Pass): Tensor {
    const stem = convolve(x, this.#conv1, this.#bn1, { activation: this.#act1 }, pass);
    const features = this.#stages.reduce((out, stage) => stage.forward(out, pass), stem); // [N, F, H / 4 or 8, W / 4 or 8]
    return this.#linear.forward(globalAveragePool(features), pass);
  }
}

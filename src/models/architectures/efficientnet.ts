import type { ActivationLayer } from '../../nn/activation-layer.js';
import { dropout } from '../../nn/dropout.js';
import { convolve } from '../../nn/fused-block.js';
import { BatchNorm2d, Conv2d, Linear } from '../../nn/layers.js';
import { Module, type Pass } from '../../nn/module.js';
import { globalAveragePool } from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Architecture, type ArchitectureOptions } from './architecture.js';
import { InvertedResidual } from './inverted-residual.js';
import { type BlockOptions, Stage } from './stage.js';

/** Compound scaling: multipliers for the channels and depths of B0. */
export interface EfficientNetScale {
  readonly width: number;
  readonly depth: number;
}

/** The stages of B0. */
const stages = [
  { blocks: 1, kernel: 3, stride: 1, expansion: 1, channels: 16 },
  { blocks: 2, kernel: 3, stride: 2, expansion: 6, channels: 24 },
  { blocks: 2, kernel: 5, stride: 2, expansion: 6, channels: 40 },
  { blocks: 3, kernel: 3, stride: 2, expansion: 6, channels: 80 },
  { blocks: 3, kernel: 5, stride: 1, expansion: 6, channels: 112 },
  { blocks: 4, kernel: 5, stride: 2, expansion: 6, channels: 192 },
  { blocks: 1, kernel: 3, stride: 1, expansion: 6, channels: 320 },
] as const;

/** channels · width rounded to the nearest multiple of 8, at least 8 and at most 10 % below. */
export function roundChannels(channels: number, width: number): number {
  const exact = channels * width;
  const rounded = Math.max(8, Math.floor((exact + 4) / 8) * 8);
  return rounded < 0.9 * exact ? rounded + 8 : rounded;
}

/** A sequence of stages named `0`, `1`, ... */
class Stages extends Module {
  readonly #stages: readonly Stage[];

  constructor(made: readonly Stage[]) {
    super();
    this.#stages = made.map((stage, index) => this.child(String(index), stage));
  }

  forward(x: Tensor, pass: Pass): Tensor {
    return this.#stages.reduce((out, stage) => stage.forward(out, pass), x);
  }
}

/**
 * EfficientNet (Tan and Le, 2019) with timm's parameter names: strided 3x3 stem, seven stages of inverted residuals
 * with squeeze-and-excitation, 1x1 convolution, global average pooling, dropout, linear layer. Padding is symmetric, as
 * in timm's `efficientnet_b0`, or TensorFlow's `SAME` in every convolution, as in the TPU code and timm's
 * `tf_efficientnet_b0`. Batch norm uses PyTorch's momentum and epsilon, as in the smooth adversarial training paper.
 */
export class EfficientNet extends Architecture {
  readonly head = 'classifier';
  readonly #convStem: Conv2d;
  readonly #bn1: BatchNorm2d;
  readonly #act1: ActivationLayer;
  readonly #blocks: Stages;
  readonly #convHead: Conv2d;
  readonly #bn2: BatchNorm2d;
  readonly #act2: ActivationLayer;
  readonly #classifier: Linear;

  constructor(scale: EfficientNetScale, options: ArchitectureOptions) {
    super();
    const { channels, classes, width, padding, activate, initialiser } = options;
    const wide = (count: number) => roundChannels(count, scale.width * width);
    const depths = stages.map(({ blocks }) => Math.ceil(blocks * scale.depth));
    const blocks = depths.reduce((sum, depth) => sum + depth, 0);
    const [stem, features] = [wide(32), wide(1280)];

    this.#convStem = this.child(
      'conv_stem',
      new Conv2d({ inputs: channels, outputs: stem, kernel: 3, stride: 2, padding, initialiser }),
    );
    this.#bn1 = this.child('bn1', new BatchNorm2d({ channels: stem, initialiser }));
    this.#act1 = this.child('act1', activate());
    let inputs = stem;
    let index = 0;
    const made = stages.map(({ kernel, stride, expansion, channels }, position) => {
      const outputs = wide(channels);
      const make = (block: BlockOptions) =>
        new InvertedResidual({ ...block, kernel, expansion, padding, position: { index: index++, blocks } });
      const stage = new Stage(depths[position]!, { inputs, outputs, stride, activate, initialiser }, make);
      inputs = outputs;
      return stage;
    });
    this.#blocks = this.child('blocks', new Stages(made));
    this.#convHead = this.child(
      'conv_head',
      new Conv2d({ inputs, outputs: features, kernel: 1, initialiser }),
    );
    this.#bn2 = this.child('bn2', new BatchNorm2d({ channels: features, initialiser }));
    this.#act2 = this.child('act2', activate());
    this.#classifier = this.child(
      'classifier',
      new Linear({ inputs: features, outputs: classes, initialiser }),
    );
  }

  /** [N, C, H, W] → [N, classes] */
  forward(x: Tensor, pass: Pass): Tensor {
    const stem = convolve(x, this.#convStem, this.#bn1, { activation: this.#act1 }, pass); // [N, S, H / 2, W / 2]
    const inner = this.#blocks.forward(stem, pass); // [N, I, H / 32, W / 32]
    const last = convolve(inner, this.#convHead, this.#bn2, { activation: this.#act2 }, pass);
    return this.#classifier.forward(dropout(globalAveragePool(last), pass.drop), pass);
  }
}

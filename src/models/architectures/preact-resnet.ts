import type { ActivationLayer } from '../../nn/activation-layer.js';
import { convolve } from '../../nn/fused-block.js';
import { BatchNorm2d, Conv2d, Linear } from '../../nn/layers.js';
import { Module, type Pass } from '../../nn/module.js';
import { globalAveragePool } from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Architecture, type ArchitectureOptions, scaleChannels } from './architecture.js';
import { Block, type BlockOptions, Stage } from './stage.js';

/** The 1x1 convolution of a projection shortcut: `shortcut.0`. */
class Projection extends Module {
  readonly convolution: Conv2d;

  constructor({ inputs, outputs, stride, initialiser }: BlockOptions) {
    super();
    this.convolution = this.child('0', new Conv2d({ inputs, outputs, kernel: 1, stride, initialiser }));
  }
}

/**
 * The pre-activation block of He et al. (2016, ECCV): conv2(act(bn2(conv1(a)))) + shortcut, a = act(bn1(x)). The
 * shortcut is x, or a projection of a if the shape changes.
 */
class PreActBlock extends Block {
  readonly #act1: ActivationLayer;
  readonly #act2: ActivationLayer;
  readonly #bn1: BatchNorm2d;
  readonly #conv1: Conv2d;
  readonly #bn2: BatchNorm2d;
  readonly #conv2: Conv2d;
  readonly #projection: Projection | null = null;

  constructor(options: BlockOptions) {
    super();
    const { inputs, outputs, stride, activate, initialiser } = options;
    this.#bn1 = this.child('bn1', new BatchNorm2d({ channels: inputs, initialiser }));
    this.#conv1 = this.child('conv1', new Conv2d({ inputs, outputs, kernel: 3, stride, initialiser }));
    this.#bn2 = this.child('bn2', new BatchNorm2d({ channels: outputs, initialiser }));
    this.#conv2 = this.child('conv2', new Conv2d({ inputs: outputs, outputs, kernel: 3, initialiser }));
    if (stride !== 1 || inputs !== outputs)
      this.#projection = this.child('shortcut', new Projection(options));
    this.#act1 = this.child('act1', activate());
    this.#act2 = this.child('act2', activate());
  }

  forward(x: Tensor, pass: Pass): Tensor {
    const activated = this.#bn1.forward(x, pass, { activation: this.#act1 });
    const shortcut = this.#projection === null ? x : this.#projection.convolution.forward(activated, pass);
    const inner = convolve(activated, this.#conv1, this.#bn2, { activation: this.#act2 }, pass);
    return this.#conv2.forward(inner, pass).add(shortcut);
  }
}

/** PreActResNet-18 for small images, with a final batch norm (`bn`) and activation before pooling. */
export class PreActResNet18 extends Architecture {
  readonly head = 'linear';
  readonly #act: ActivationLayer;
  readonly #conv1: Conv2d;
  readonly #stages: readonly Stage[];
  readonly #bn: BatchNorm2d;
  readonly #linear: Linear;

  constructor(options: ArchitectureOptions) {
    super();
    const { channels, classes, width, activate, initialiser } = options;
    const stages = [64, 128, 256, 512].map((stage) => scaleChannels(stage, width));
    this.#conv1 = this.child(
      'conv1',
      new Conv2d({ inputs: channels, outputs: stages[0]!, kernel: 3, initialiser }),
    );
    this.#stages = stages.map((outputs, index) => {
      const inputs = stages[Math.max(0, index - 1)]!;
      const stride = index === 0 ? 1 : 2;
      const stage = new Stage(
        2,
        { inputs, outputs, stride, activate, initialiser },
        (block) => new PreActBlock(block),
      );
      return this.child(`layer${index + 1}`, stage);
    });
    this.#bn = this.child('bn', new BatchNorm2d({ channels: stages.at(-1)!, initialiser }));
    this.#act = this.child('act', activate());
    this.#linear = this.child(
      'linear',
      new Linear({ inputs: stages.at(-1)!, outputs: classes, initialiser }),
    );
  }

  /** [N, C, H, W] → [N, classes] */
  forward(x: Tensor, pass: Pass): Tensor {
    const stem = this.#conv1.forward(x, pass);
    const features = this.#stages.reduce((out, stage) => stage.forward(out, pass), stem);
    const activated = this.#bn.forward(features, pass, { activation: this.#act });
    return this.#linear.forward(globalAveragePool(activated), pass);
  }
}

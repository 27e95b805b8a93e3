import type { ActivationLayer } from '../../nn/activation-layer.js';
import { convolve } from '../../nn/fused-block.js';
import { BatchNorm2d, Conv2d, Linear } from '../../nn/layers.js';
import { Module, type Pass } from '../../nn/module.js';
import type { Padding } from '../../nn/same-padding.js';
import { globalAveragePool } from '../../tensor/functional.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Architecture, type ArchitectureOptions, scaleChannels } from './architecture.js';
import { Block, type BlockOptions, Stage } from './stage.js';

interface WideBlockOptions extends BlockOptions {
  readonly padding: Padding | undefined;
}

/**
 * The block of a wide ResNet: conv2(act(bn2(conv1(a)))) + shortcut, a = act(bn1(x)). The shortcut is x, or a 1x1
 * convolution of a if the number of channels or the resolution changes.
 */
class WideBlock extends Block {
  readonly #bn1: BatchNorm2d;
  readonly #conv1: Conv2d;
  readonly #bn2: BatchNorm2d;
  readonly #conv2: Conv2d;
  readonly #shortcut: Conv2d | null = null;
  readonly #act1: ActivationLayer;
  readonly #act2: ActivationLayer;

  constructor({ inputs, outputs, stride, padding, activate, initialiser }: WideBlockOptions) {
    super();
    this.#bn1 = this.child('bn1', new BatchNorm2d({ channels: inputs, initialiser }));
    this.#conv1 = this.child(
      'conv1',
      new Conv2d({ inputs, outputs, kernel: 3, stride, padding, initialiser }),
    );
    this.#bn2 = this.child('bn2', new BatchNorm2d({ channels: outputs, initialiser }));
    this.#conv2 = this.child('conv2', new Conv2d({ inputs: outputs, outputs, kernel: 3, initialiser }));
    if (inputs !== outputs || stride !== 1)
      this.#shortcut = this.child(
        'convShortcut',
        new Conv2d({ inputs, outputs, kernel: 1, stride, initialiser }),
      );
    this.#act1 = this.child('act1', activate());
    this.#act2 = this.child('act2', activate());
  }

  forward(x: Tensor, pass: Pass): Tensor {
    const activated = this.#bn1.forward(x, pass, { activation: this.#act1 });
    const shortcut = this.#shortcut === null ? x : this.#shortcut.forward(activated, pass);
    const inner = convolve(activated, this.#conv1, this.#bn2, { activation: this.#act2 }, pass);
    return this.#conv2.forward(inner, pass).add(shortcut);
  }
}

/** Wraps a stage so that its blocks have RobustBench's names: `layer.0`, `layer.1`, ... */
class NetworkBlock extends Module {
  readonly #layer: Stage;

  constructor(count: number, { padding, ...options }: WideBlockOptions) {
    super();
    const make = (block: BlockOptions) => new WideBlock({ ...block, padding });
    this.#layer = this.child('layer', new Stage(count, options, make));
  }

  forward(x: Tensor, pass: Pass): Tensor {
    return this.#layer.forward(x, pass);
  }
}

/**
 * The wide residual network of Zagoruyko and Komodakis (2016) for small images, WRN-depth-widen, with the parameter
 * names of TRADES and RobustBench: depth = 6n + 4, three stages of n blocks. With `padding: same` it is the network of
 * DeepMind (Gowal et al., 2020).
 */
export class WideResNet extends Architecture {
  readonly head = 'fc';
  readonly #conv1: Conv2d;
  readonly #blocks: readonly NetworkBlock[];
  readonly #bn1: BatchNorm2d;
  readonly #act: ActivationLayer;
  readonly #fc: Linear;

  constructor(shape: { readonly depth: number; readonly widen: number }, options: ArchitectureOptions) {
    super();
    const { channels, classes, width, padding, activate, initialiser } = options;
    const stem = scaleChannels(16, width);
    const stages = [16, 32, 64].map((stage) => scaleChannels(stage * shape.widen, width));
    this.#conv1 = this.child(
      'conv1',
      new Conv2d({ inputs: channels, outputs: stem, kernel: 3, initialiser }),
    );
    this.#blocks = stages.map((outputs, index) => {
      const inputs = index === 0 ? stem : stages[index - 1]!;
      const stride = index === 0 ? 1 : 2;
      const block = new NetworkBlock((shape.depth - 4) / 6, {
        inputs,
        outputs,
        stride,
        padding,
        activate,
        initialiser,
      });
      return this.child(`block${index + 1}`, block);
    });
    this.#bn1 = this.child('bn1', new BatchNorm2d({ channels: stages.at(-1)!, initialiser }));
    this.#act = this.child('act', activate());
    this.#fc = this.child('fc', new Linear({ inputs: stages.at(-1)!, outputs: classes, initialiser }));
  }

  /** [N, C, H, W] → [N, classes] */
  forward(x: Tensor, pass: Pass): Tensor {
    const stem = this.#conv1.forward(x, pass);
    const features = this.#blocks.reduce((out, block) => block.forward(out, pass), stem); // [N, F, H / 4, W / 4]
    const activated = this.#bn1.forward(features, pass, { activation: this.#act });
    return this.#fc.forward(globalAveragePool(activated), pass);
  }
}

import type { ActivationLayer } from '../../nn/activation-layer.js';
import { type BlockPosition, depthRate, stochasticDepth } from '../../nn/dropout.js';
import { convolve } from '../../nn/fused-block.js';
import { BatchNorm2d, Conv2d } from '../../nn/layers.js';
import type { Pass } from '../../nn/module.js';
import type { Padding } from '../../nn/same-padding.js';
import type { Tensor } from '../../tensor/tensor.js';
import { SqueezeExcite } from './squeeze-excite.js';
import { Block, type BlockOptions, changesShape } from './stage.js';

/** A convolution with its batch norm. */
type Layer = readonly [convolution: Conv2d, norm: BatchNorm2d];

/**
 * The block of EfficientNet (Sandler et al., 2018; Tan and Le, 2019), with timm's parameter names: 1x1 expansion
 * convolution (omitted for an `expansion` of 1), depthwise convolution, squeeze-and-excitation with a quarter of the
 * block's input channels, 1x1 projection; plus an identity shortcut if the shape does not change.
 */
export class InvertedResidual extends Block {
  readonly #expand: Layer | null;
  readonly #depthwise: Layer;
  readonly #se: SqueezeExcite;
  readonly #project: Layer;
  readonly #act1: ActivationLayer;
  readonly #act2: ActivationLayer;
  readonly #position: BlockPosition;
  readonly #hasShortcut: boolean;

  constructor(
    options: BlockOptions & {
      readonly kernel: number;
      readonly expansion: number;
      readonly padding?: Padding | undefined;
      readonly position: BlockPosition;
    },
  ) {
    super();
    const { inputs, outputs, stride, activate, initialiser, kernel, expansion, padding } = options;
    const inner = inputs * expansion;
    const pointwise = (name: string, from: number, to: number) =>
      this.child(name, new Conv2d({ inputs: from, outputs: to, kernel: 1, initialiser }));
    const norm = (name: string, channels: number) =>
      this.child(name, new BatchNorm2d({ channels, initialiser }));

    const expands = expansion !== 1;
    this.#expand = expands ? [pointwise('conv_pw', inputs, inner), norm('bn1', inner)] : null;
    this.#depthwise = [
      this.child(
        'conv_dw',
        new Conv2d({
          inputs: inner,
          outputs: inner,
          kernel,
          stride,
          padding,
          groups: inner,
          fanOut: kernel ** 2, // each output channel has one filter
          initialiser,
        }),
      ),
      norm(expands ? 'bn2' : 'bn1', inner),
    ];
    const reduced = Math.round(inputs / 4);
    this.#se = this.child('se', new SqueezeExcite({ channels: inner, reduced, activate, initialiser }));
    this.#project = [
      pointwise(expands ? 'conv_pwl' : 'conv_pw', inner, outputs),
      norm(expands ? 'bn3' : 'bn2', outputs),
    ];
    this.#act1 = this.child('act1', activate());
    this.#act2 = expands ? this.child('act2', activate()) : this.#act1;
    this.#position = options.position;
    this.#hasShortcut = !changesShape(options);
  }

  forward(x: Tensor, pass: Pass): Tensor {
    const expanded =
      this.#expand === null ? x : convolve(x, ...this.#expand, { activation: this.#act1 }, pass);
    const filtered = convolve(expanded, ...this.#depthwise, { activation: this.#act2 }, pass);
    const excited = this.#se.forward(filtered, pass);
    if (!this.#hasShortcut) return convolve(excited, ...this.#project, {}, pass);
    if (depthRate(pass.drop, this.#position) === 0)
      return convolve(excited, ...this.#project, { residual: x }, pass);
    return stochasticDepth(convolve(excited, ...this.#project, {}, pass), pass.drop, this.#position).add(x);
  }
}

import { convolve } from '../../nn/fused-block.js';
import { BatchNorm2d, Conv2d } from '../../nn/layers.js';
import { Module, type Pass } from '../../nn/module.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { BlockOptions } from './stage.js';

/** Projection shortcut of a block that changes the shape: 1x1 convolution (`0`) and batch norm (`1`). */
export class ProjectionShortcut extends Module {
  readonly convolution: Conv2d;
  readonly norm: BatchNorm2d;

  constructor({ inputs, outputs, stride, initialiser }: BlockOptions) {
    super();
    this.convolution = this.child('0', new Conv2d({ inputs, outputs, kernel: 1, stride, initialiser }));
    this.norm = this.child('1', new BatchNorm2d({ channels: outputs, initialiser }));
  }

  forward(x: Tensor, pass: Pass): Tensor {
    return convolve(x, this.convolution, this.norm, {}, pass);
  }
}

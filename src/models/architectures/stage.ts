import type { ActivationLayer } from '../../nn/activation-layer.js';
import type { Initialiser } from '../../nn/initialise.js';
import { Module, type Pass } from '../../nn/module.js';
import type { Tensor } from '../../tensor/tensor.js';

export interface BlockOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  /** Creates an activation layer; called once for each activation in the block. */
  readonly activate: () => ActivationLayer;
  readonly initialiser: Initialiser;
}

/** Whether a block changes the shape, so that its shortcut cannot be the identity. */
export function changesShape({ inputs, outputs, stride }: BlockOptions): boolean {
  return stride !== 1 || inputs !== outputs;
}

/** A residual block, [N, I, H, W] → [N, O, H / stride, W / stride]. */
export abstract class Block extends Module {
  abstract forward(x: Tensor, pass: Pass): Tensor;
}

/** A sequence of blocks named 0, 1, ...; only the first may change the channels and the resolution. */
export class Stage extends Module {
  readonly #blocks: readonly Block[];

  constructor(count: number, options: BlockOptions, make: (options: BlockOptions) => Block) {
    super();
    this.#blocks = Array.from({ length: count }, (_, index) =>
      this.child(
        String(index),
        make(index === 0 ? options : { ...options, inputs: options.outputs, stride: 1 }),
      ),
    );
  }

  forward(x: Tensor, pass: Pass): Tensor {
    return this.#blocks.reduce((out, block) => block.forward(out, pass), x);
  }
}

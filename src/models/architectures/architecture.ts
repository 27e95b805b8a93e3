import type { ActivationLayer } from '../../nn/activation-layer.js';
import type { Initialiser } from '../../nn/initialise.js';
import { Module, type Pass } from '../../nn/module.js';
import type { Tensor } from '../../tensor/tensor.js';

/** What every architecture is made from. */
export interface ArchitectureOptions {
  /** Channels of the images. */
  readonly channels: number;
  readonly classes: number;
  /** Channels of every layer times this; 1 is the published width. */
  readonly width: number;
  /** Makes the activation of each of its places. */
  readonly activate: () => ActivationLayer;
  readonly initialiser: Initialiser;
}

/** A network from normalised images [N, C, H, W] to logits [N, classes]. */
export abstract class Architecture extends Module {
  /** The name of the last layer, the only one that knows how many classes there are. */
  abstract readonly head: string;

  abstract forward(x: Tensor, pass: Pass): Tensor;
}

/** Channels at a width factor: a whole number of at least 1. */
export function scaled(channels: number, width: number): number {
  return Math.max(1, Math.round(channels * width));
}

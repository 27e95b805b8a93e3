import { InputError } from '../../errors.js';
import type { ActivationLayer } from '../../nn/activation-layer.js';
import type { Initialiser } from '../../nn/initialise.js';
import { Module, type Pass } from '../../nn/module.js';
import type { Padding } from '../../nn/same-padding.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Constructor options of every architecture. */
export interface ArchitectureOptions {
  /** Number of image channels. */
  readonly channels: number;
  readonly classes: number;
  /** Multiplier for the channels of every layer; 1 is the published width. */
  readonly width: number;
  /** Only where `supportsSamePadding`. @default 'symmetric' */
  readonly padding?: Padding | undefined;
  /** Creates an activation layer; called once for each activation in the network. */
  readonly activate: () => ActivationLayer;
  readonly initialiser: Initialiser;
}

/** A network from normalised images [N, C, H, W] to logits [N, classes]. */
export abstract class Architecture extends Module {
  /** Name of the classification head, the only layer that depends on the number of classes. */
  abstract readonly head: string;

  abstract forward(x: Tensor, pass: Pass): Tensor;
}

/** No weights of so many channels fit in memory; the sizes of others stay exact in 53 bits. */
const mostChannels = 2 ** 20;

/**
 * `channels` times `width`, rounded to an integer of at least 1.
 *
 * @throws {InputError} if there are more than a million of them.
 */
export function scaleChannels(channels: number, width: number): number {
  const scaled = Math.max(1, Math.round(channels * width));
  if (scaled <= mostChannels) return scaled;
  throw InputError.expected(`at most ${mostChannels / channels}`, 'the width', width);
}

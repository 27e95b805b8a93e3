import type { Constant } from '../../onnx/step.js';
import type { Curve } from '../../tensor/functional.js';

/** Number of a value of a plan: a feature map, channels last, or its gradient. */
export type ValueNumber = number;

/** A convolution forward, whichever way it is gone; a linear layer is one of a single place. */
export interface Geometry {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly groups: number;
}

interface Written {
  readonly to: ValueNumber;
}

/** Steps of the way forward. `keeps`: whether the way back needs the slopes of its curve. */
export type ForwardStep = Written &
  (
    | {
        readonly kind: 'convolution';
        readonly from: ValueNumber;
        /** Added before the curve. */
        readonly other: ValueNumber | null;
        readonly curve: Curve | null;
        readonly keeps: boolean;
        /** [outputs, inputs / groups, kernel, kernel], or [outputs, inputs] of a linear layer */
        readonly weight: Constant;
        readonly bias: Float32Array | null;
        readonly geometry: Geometry;
      }
    | {
        readonly kind: 'curve';
        readonly from: ValueNumber;
        readonly other: ValueNumber | null;
        readonly curve: Curve | null;
        readonly keeps: boolean;
        readonly channels: number;
        /** Of each channel, before the curve; null for none. Not together with `other`. */
        readonly affine: Affine | null;
      }
    | {
        readonly kind: 'mean';
        readonly from: ValueNumber;
        readonly other: null;
        readonly keeps: false;
        /** Over which the mean is taken. */
        readonly places: number;
      }
    | {
        readonly kind: 'max-pool';
        readonly from: ValueNumber;
        readonly other: null;
        readonly keeps: false;
        /** Its outputs are its inputs: channels. */
        readonly geometry: Geometry;
      }
    | {
        /** x · σ(gate) of each channel. */
        readonly kind: 'gate';
        readonly from: ValueNumber;
        /** The gate, a number for each channel. */
        readonly other: ValueNumber;
        readonly keeps: false;
        readonly channels: number;
        readonly places: number;
      }
  );

/** x · scale + shift of each channel. */
export interface Affine {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

/** A network as fused steps from the images to the logits. */
export interface ForwardPlan {
  /** [C, H, W] */
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  /** Numbers of each value in an image. */
  readonly sizes: readonly number[];
  /** What happens to the pixels, channel by channel, before the first step. */
  readonly load: Affine | null;
  readonly images: ValueNumber;
  readonly steps: readonly ForwardStep[];
  readonly logits: ValueNumber;
}

/**
 * Steps of the way back. `other` is added, and the sum is multiplied by the slopes that the value `slopesOf` kept on the way
 * forward.
 */
export type BackwardStep = Written & {
  readonly from: ValueNumber;
  readonly other: ValueNumber | null;
  readonly slopesOf: ValueNumber | null;
} & (
    | { readonly kind: 'convolution'; readonly forward: Extract<ForwardStep, { kind: 'convolution' }> }
    | { readonly kind: 'mean'; readonly places: number }
    | { readonly kind: 'max-pool'; readonly forward: Extract<ForwardStep, { kind: 'max-pool' }> }
    | { readonly kind: 'gate' | 'gate-to-gate'; readonly forward: Extract<ForwardStep, { kind: 'gate' }> }
    | { readonly kind: 'sum' }
  );

/** From the gradient of the logits to that of the loaded images. */
export interface BackwardPlan {
  /** Numbers of each value: those of the way forward, which are not used, and then the gradients. */
  readonly sizes: readonly number[];
  readonly logits: ValueNumber;
  readonly steps: readonly BackwardStep[];
  readonly images: ValueNumber;
}

import type { BrowserNormName } from './norms.js';

/** `demo.json`, which `satin demo` writes and its page reads. Paths are relative to it. */
export interface DemoDescription {
  /** Where the images come from: `cifar10:test`. */
  readonly data: string;
  readonly classes: readonly string[];
  /** Channels, height and width of the images. */
  readonly shape: readonly [channels: 1 | 3, height: number, width: number];
  readonly threat: {
    readonly norm: BrowserNormName;
    readonly epsilon: number;
    readonly epsilonText: string;
  };
  /** Seed of the random starts; with it and the ids of the images, attacks are those of `satin evaluate`. */
  readonly seed: number;
  readonly networks: readonly DemoNetwork[];
  readonly images: readonly DemoImage[];
}

export interface DemoNetwork {
  /** Short and unique: the activation, or else the path. */
  readonly title: string;
  readonly architecture: string;
  readonly formula: string;
  /** ONNX with the input gradient of the cross-entropy. */
  readonly file: string;
  readonly bytes: number;
  readonly digest: string;
}

export interface DemoImage {
  /** PNG. */
  readonly file: string;
  readonly label: number;
  /** In the data set. */
  readonly id: number;
}

/**
 * What a data set is to the rest of Satin: bytes, labels and names. Readers (`idx.ts`, `cifar.ts`,
 * `folder.ts`) make it, `split.ts` cuts it, `batches.ts` turns parts of it into tensors. No tensor here,
 * so nothing in this file or in a reader loads the engine.
 */
export interface Dataset {
  /** What the user typed, with the split: `fashion-mnist:test`. */
  readonly name: string;
  /** Class names, in label order; they travel with the weights. */
  readonly classes: readonly string[];
  /** Channels, height, width. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** All pixels as bytes, [N, C, H, W]; the pixel value is byte / 255. */
  readonly images: Uint8Array;
  /** Labels, [N], 0 to classes.length - 1. */
  readonly labels: Uint8Array | Uint16Array;
  /** The id of each example, [N]: its place in the file or in the sorted folder. Randomness is keyed by it. */
  readonly ids: Uint32Array;
}

export type Split = 'train' | 'validation' | 'test';

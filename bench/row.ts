import type { PassCount } from '../src/evaluation/model-under-test.js';

/** One result of `satin bench`; the fields are a stable JSON format. */
export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  readonly satin: number;
  /** null without a peer, or if it is not installed. */
  readonly peer: number | null;
  readonly peerName: string | null;
  /**
   * Speed relative to the peer; for the unit MB, memory relative to the peer. Median over pairs, with its 95 %
   * confidence interval.
   */
  readonly ratio: number | null;
  readonly interval: readonly [low: number, high: number] | null;
  /** Number of pairs or runs. */
  readonly runs: number;
  /** For attacks, total forward and backward passes of all runs, counted in images. */
  readonly passes?: { readonly satin: PassCount; readonly peer: PassCount };
  /** Share of Satin's time that the convolutions and linear layers of these passes take alone. */
  readonly layersAlone?: number;
}

export interface BenchOptions {
  /** A Python interpreter, possibly with PyTorch. */
  readonly python: string;
  readonly pairs: number;
  /** Selects rows by name. */
  readonly only: (name: string) => boolean;
  /** A folder with one subfolder of photographs per class, for the ImageNet pipeline; null if not given. */
  readonly photos: string | null;
  /** Where to measure what can be measured on a graphics card too. */
  readonly device: string;
  /** Prints a sentence. */
  readonly note: (sentence: string) => void;
  /** Told before each pair, or whatever a benchmark repeats. */
  readonly onProgress: (progress: {
    readonly label: string;
    readonly done: number;
    readonly total: number;
  }) => void;
  /** Options of the attack benchmarks; null without a network. */
  readonly attacked: AttackedOptions | null;
}

export interface AttackedOptions {
  /** A run folder of a ResNet-18. */
  readonly model: string;
  /** A checkout of AutoAttack's reference implementation, or null. */
  readonly reference: string | null;
  /** Images per slice. */
  readonly images: number;
  /** Fraction of each attack's steps to run, in (0, 1]. */
  readonly share: number;
  /**
   * Whether to run the reference with batch size 250, contiguous format and weight gradients instead of its fastest
   * settings.
   */
  readonly asShipped: boolean;
}

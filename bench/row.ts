import type { PassCount } from '../src/evaluation/model-under-test.js';

/** One line of what `satin bench` prints; its fields stay. */
export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  readonly satin: number;
  /** null where there is no peer, or it is not installed. */
  readonly peer: number | null;
  readonly peerName: string | null;
  /**
   * How many times as fast as the peer; where the unit is MB, how many times its memory. The median over pairs, with its
   * 95 % interval.
   */
  readonly ratio: number | null;
  readonly interval: readonly [low: number, high: number] | null;
  /** Pairs, or runs. */
  readonly runs: number;
  /** Images that went forward and backward through the network in all runs, of attacks. */
  readonly passes?: { readonly satin: PassCount; readonly peer: PassCount };
  /** Which part of Satin's time the convolutions and linear layers of those passes would take alone. */
  readonly layersAlone?: number;
}

export interface BenchOptions {
  /** A Python that may have PyTorch. */
  readonly python: string;
  readonly pairs: number;
  /** Whether a row is wanted, by its name. */
  readonly only: (name: string) => boolean;
  /** A folder with one subfolder of photographs a class, for the pipeline of ImageNet; null where none is named. */
  readonly photos: string | null;
  /** Told what goes on. */
  readonly note: (sentence: string) => void;
  /** What the benches of attacks run on; null where no network is named. */
  readonly attacked: AttackedOptions | null;
}

export interface AttackedOptions {
  /** A run folder, of a ResNet-18. */
  readonly model: string;
  /** A checkout of AutoAttack's reference implementation; null where there is none. */
  readonly reference: string | null;
  /** Images of each slice. */
  readonly images: number;
  /** Which part of each attack's steps is run, in (0, 1]. */
  readonly share: number;
  /** The reference with a batch of 250, channels first and weights that ask for gradients, in place of its fastest. */
  readonly asShipped: boolean;
}

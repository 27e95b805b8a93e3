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
}

export interface BenchOptions {
  /** A Python that may have PyTorch. */
  readonly python: string;
  readonly pairs: number;
  /** Whether a row is wanted, by its name. */
  readonly only: (name: string) => boolean;
  /** Told what goes on. */
  readonly note: (sentence: string) => void;
}

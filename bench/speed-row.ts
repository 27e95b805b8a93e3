import { medianInterval } from './pairs.js';
import type { BenchRow } from './row.js';

/** Seconds of the same work on both sides; the peer's are null without one. */
export interface Turn {
  readonly satin: number;
  readonly peer: number | null;
}

/** Images a second on both sides over alternating turns of `images` images each, and the median of the paired ratios. */
export function speedRow(options: {
  readonly name: string;
  readonly turns: readonly Turn[];
  readonly images: number;
  readonly peerName: string | null;
}): BenchRow {
  const { name, turns, images, peerName } = options;
  const speed = (seconds: readonly number[]) => medianInterval(seconds.map((each) => images / each)).median;
  const pairs = turns.flatMap(({ satin, peer }) => (peer === null ? [] : [{ satin, peer }]));
  const ratio = pairs.length === 0 ? null : medianInterval(pairs.map(({ satin, peer }) => peer / satin));
  return {
    name,
    unit: 'img/s',
    satin: speed(turns.map(({ satin }) => satin)),
    peer: ratio === null ? null : speed(pairs.map(({ peer }) => peer)),
    peerName,
    ratio: ratio?.median ?? null,
    interval: ratio?.interval ?? null,
    runs: turns.length,
  };
}

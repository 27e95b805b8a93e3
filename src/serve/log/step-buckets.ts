import type { RunEvent } from '../../runs/events.js';
import type { Band, Curves } from '../api.js';

export type StepEvent = Extract<RunEvent, { type: 'step' }>;

const quantities = ['loss', 'accuracy', 'learningRate', 'imagesPerSecond'] as const;

interface Bucket {
  step: number;
  seconds: number;
  /** Where its first line begins in the log. */
  offset: number;
  count: number;
  /** Of each quantity: sum and count of the finite values, lowest, highest. */
  readonly sums: number[];
  readonly counts: number[];
  readonly lows: number[];
  readonly highs: number[];
}

/**
 * The steps of a run in at most `limit` buckets of consecutive logged steps. When all are full, neighbours are merged,
 * so that memory is bounded for any number of steps, and no spike is lost: a bucket keeps its lowest and highest value.
 */
export class StepBuckets {
  readonly #limit: number;
  #buckets: Bucket[] = [];
  #stepsPerBucket = 1;

  constructor(limit: number) {
    this.#limit = Math.max(2, limit);
  }

  /** Steps behind a full bucket. */
  get stepsPerBucket(): number {
    return this.#stepsPerBucket;
  }

  get lastStep(): number {
    return this.#buckets.at(-1)?.step ?? -1;
  }

  get count(): number {
    return this.#buckets.length;
  }

  /** Adds the next step; one that is not later than the last is ignored. @returns whether it was added. */
  add(
    event: StepEvent,
    { seconds, offset = 0 }: { readonly seconds: number; readonly offset?: number },
  ): boolean {
    if (event.step <= this.lastStep) return false;
    let bucket = this.#buckets.at(-1);
    if (bucket === undefined || bucket.count >= this.#stepsPerBucket) {
      if (this.#buckets.length >= this.#limit) this.#merge();
      bucket = this.#buckets.at(-1);
      if (bucket === undefined || bucket.count >= this.#stepsPerBucket) {
        bucket = emptyBucket(offset);
        this.#buckets.push(bucket);
      }
    }
    bucket.step = event.step;
    bucket.seconds = seconds;
    bucket.count += 1;
    quantities.forEach((name, index) => {
      const value = event[name];
      if (!Number.isFinite(value)) return;
      bucket.sums[index]! += value;
      bucket.counts[index]! += 1;
      bucket.lows[index] = Math.min(bucket.lows[index]!, value);
      bucket.highs[index] = Math.max(bucket.highs[index]!, value);
    });
    return true;
  }

  /** The bytes of the log that hold the steps from `from` to `to`. */
  bytesOf(from: number, to: number, size: number): { readonly begin: number; readonly end: number } {
    const first = Math.max(
      0,
      this.#buckets.findIndex(({ step }) => step >= from),
    );
    const after = this.#buckets.findIndex(({ step }) => step >= to);
    const end = after < 0 ? size : (this.#buckets[after + 1]?.offset ?? size);
    return { begin: this.#buckets[first]?.offset ?? 0, end };
  }

  /** The buckets with steps from `from` to `to`, merged to at most `width`. */
  curves({
    from,
    to,
    width,
  }: {
    readonly from: number;
    readonly to: number;
    readonly width: number;
  }): Pick<Curves, 'step' | 'seconds' | 'stepsPerBucket' | (typeof quantities)[number]> {
    const inside = this.#buckets.filter(({ step }) => step >= from && step <= to);
    const group = Math.max(1, Math.ceil(inside.length / width));
    const shown: Bucket[] = [];
    for (let at = 0; at < inside.length; at += group) shown.push(merged(inside.slice(at, at + group)));
    const band = (index: number): Band => ({
      mean: shown.map(({ sums, counts }) => (counts[index]! > 0 ? sums[index]! / counts[index]! : null)),
      low: shown.map(({ lows, counts }) => (counts[index]! > 0 ? lows[index]! : null)),
      high: shown.map(({ highs, counts }) => (counts[index]! > 0 ? highs[index]! : null)),
    });
    return {
      step: shown.map(({ step }) => step),
      seconds: shown.map(({ seconds }) => seconds),
      stepsPerBucket: this.#stepsPerBucket * group,
      loss: band(0),
      accuracy: band(1),
      learningRate: band(2),
      imagesPerSecond: band(3),
    };
  }

  #merge(): void {
    const pairs: Bucket[] = [];
    for (let at = 0; at < this.#buckets.length; at += 2) pairs.push(merged(this.#buckets.slice(at, at + 2)));
    this.#buckets = pairs;
    this.#stepsPerBucket *= 2;
  }
}

function emptyBucket(offset: number): Bucket {
  const all = (value: number) => quantities.map(() => value);
  return {
    step: 0,
    seconds: 0,
    offset,
    count: 0,
    sums: all(0),
    counts: all(0),
    lows: all(Infinity),
    highs: all(-Infinity),
  };
}

function merged(buckets: readonly Bucket[]): Bucket {
  if (buckets.length === 1) return buckets[0]!;
  const result = emptyBucket(buckets[0]!.offset);
  for (const { step, seconds, count, sums, counts, lows, highs } of buckets) {
    result.step = step;
    result.seconds = seconds;
    result.count += count;
    quantities.forEach((_, index) => {
      result.sums[index]! += sums[index]!;
      result.counts[index]! += counts[index]!;
      result.lows[index] = Math.min(result.lows[index]!, lows[index]!);
      result.highs[index] = Math.max(result.highs[index]!, highs[index]!);
    });
  }
  return result;
}

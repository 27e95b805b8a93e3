import type { PassCount } from './model-under-test.js';

/** The cost of a batch. */
export interface Cost extends Readonly<PassCount> {
  readonly seconds: number;
}

/** A verdict on the example at `index` of the data, or the cost of a batch; in chronological order. */
export type LedgerEntry =
  | { readonly type: 'clean'; readonly index: number; readonly right: boolean }
  /** `blind`: no gradient of the attack was finite, so that it could not work. */
  | {
      readonly type: 'stood';
      readonly attack: string;
      readonly index: number;
      readonly blind?: true | undefined;
    }
  /** With the adversarial image, float32, [C, H, W] row-major. */
  | {
      readonly type: 'broken';
      readonly attack: string;
      readonly index: number;
      readonly image: Float32Array;
    }
  /** For a batch of the clean pass (`clean`) or of an attack, once it is complete. */
  | ({ readonly type: 'cost'; readonly stage: string; readonly part: Part } & Cost);

/** An entry without the image. */
export type FoundEntry =
  | Exclude<LedgerEntry, { readonly type: 'broken' }>
  | Omit<Extract<LedgerEntry, { readonly type: 'broken' }>, 'image'>;

/** `sequence`: the examples that earlier attacks left; `alone`: the remaining correctly classified ones. */
export type Part = 'sequence' | 'alone';

const zeroCost: Cost = { forwards: 0, backwards: 0, seconds: 0 };

/**
 * All verdicts and costs of an evaluation. It is independent of attacks and models: the results are computed from it,
 * so an evaluation resumed from stored entries yields the same results.
 */
export class Ledger {
  readonly #clean = new Map<number, boolean>();
  readonly #broken = new Map<string, Map<number, boolean>>();
  readonly #blind = new Map<string, Set<number>>();
  readonly #costs = new Map<string, { readonly batches: number; readonly cost: Cost }>();
  readonly #adversarial = new Map<number, Float32Array>();
  readonly #write: (entries: readonly LedgerEntry[]) => void;

  /** `entries` are already stored; `write` receives every new entry before it is counted. */
  constructor(
    options: {
      readonly entries?: Iterable<LedgerEntry>;
      readonly write?: (entries: readonly LedgerEntry[]) => void;
    } = {},
  ) {
    this.#write = options.write ?? (() => {});
    for (const entry of options.entries ?? []) this.#count(entry);
  }

  /** Ignores verdicts that are already known; `broken` takes precedence over `stood`. */
  add(entries: readonly LedgerEntry[]): void {
    const added = entries.filter((entry) => !this.#isKnown(entry));
    if (added.length === 0) return;
    this.#write(added);
    for (const entry of added) this.#count(entry);
  }

  /** Adds the entries of another rank, without their adversarial images. */
  merge(entries: readonly FoundEntry[]): void {
    for (const entry of entries) if (!this.#isKnown(entry)) this.#count(entry);
  }

  /** Whether the clean example is classified correctly; undefined if unknown. */
  isCorrect(index: number): boolean | undefined {
    return this.#clean.get(index);
  }

  /** Indices of the correctly classified examples, ascending. */
  correct(): readonly number[] {
    return [...this.#clean].flatMap(([index, isCorrect]) => (isCorrect ? [index] : [])).sort((a, b) => a - b);
  }

  /** Whether an attack broke an example; undefined if the attack has not finished on it. */
  isBroken(attack: string, index: number): boolean | undefined {
    return this.#broken.get(attack)?.get(index);
  }

  /** The first of `attacks` that broke an example; null if none did. */
  brokenBy(attacks: readonly string[], index: number): string | null {
    return attacks.find((attack) => this.isBroken(attack, index) === true) ?? null;
  }

  /** Whether one of `attacks` could not work on an example, since no gradient was finite. */
  isBlind(attacks: readonly string[], index: number): boolean {
    return attacks.some((attack) => this.#blind.get(attack)?.has(index) === true);
  }

  /** Total cost of the completed batches. */
  cost(stage: string, part: Part): Cost {
    return this.#costs.get(`${stage} ${part}`)?.cost ?? zeroCost;
  }

  /** Number of completed batches. */
  batches(stage: string, part: Part): number {
    return this.#costs.get(`${stage} ${part}`)?.batches ?? 0;
  }

  /** Total time of all completed batches. */
  totalSeconds(): number {
    return [...this.#costs.values()].reduce((total, { cost }) => total + cost.seconds, 0);
  }

  /** The first adversarial image of each broken example, by index. */
  get adversarial(): ReadonlyMap<number, Float32Array> {
    return this.#adversarial;
  }

  #isKnown(entry: FoundEntry): boolean {
    if (entry.type === 'clean') return this.#clean.has(entry.index);
    if (entry.type === 'cost') return false;
    const known = this.isBroken(entry.attack, entry.index);
    return entry.type === 'broken' ? known === true : known !== undefined;
  }

  #count(entry: LedgerEntry | FoundEntry): void {
    if (entry.type === 'clean') this.#clean.set(entry.index, entry.right);
    else if (entry.type === 'cost') {
      const key = `${entry.stage} ${entry.part}`;
      const { batches, cost } = this.#costs.get(key) ?? { batches: 0, cost: zeroCost };
      this.#costs.set(key, { batches: batches + 1, cost: sum(cost, entry) });
    } else {
      const verdicts = this.#broken.get(entry.attack) ?? new Map<number, boolean>();
      this.#broken.set(entry.attack, verdicts.set(entry.index, entry.type === 'broken'));
      if (entry.type === 'stood' && entry.blind === true)
        this.#blind.set(entry.attack, (this.#blind.get(entry.attack) ?? new Set()).add(entry.index));
      if (entry.type === 'broken' && 'image' in entry && !this.#adversarial.has(entry.index))
        this.#adversarial.set(entry.index, entry.image);
    }
  }
}

export function sum(a: Cost, b: Cost): Cost {
  return {
    forwards: a.forwards + b.forwards,
    backwards: a.backwards + b.backwards,
    seconds: a.seconds + b.seconds,
  };
}

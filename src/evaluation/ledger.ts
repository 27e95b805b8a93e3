import type { PassCount } from './model-under-test.js';

/** What was spent on some examples. */
export interface Cost extends Readonly<PassCount> {
  readonly seconds: number;
}

/** What was found of an example, by its place in the data, or spent on a batch; in the order in which it fell. */
export type LedgerEntry =
  | { readonly type: 'clean'; readonly place: number; readonly right: boolean }
  | { readonly type: 'stood'; readonly attack: string; readonly place: number }
  /** With the image that did it, float32, [C, H, W] row by row. */
  | {
      readonly type: 'broken';
      readonly attack: string;
      readonly place: number;
      readonly image: Float32Array;
    }
  /** Of the pass over the images as they are (`clean`), or of a batch of an attack that is done. */
  | ({ readonly type: 'cost'; readonly stage: string; readonly part: Part } & Cost);

/** An entry without the image. */
export type FoundEntry =
  | Exclude<LedgerEntry, { readonly type: 'broken' }>
  | Omit<Extract<LedgerEntry, { readonly type: 'broken' }>, 'image'>;

/** An attack meets what those before it left, in sequence, and alone the rest too. */
export type Part = 'sequence' | 'alone';

const nothing: Cost = { forwards: 0, backwards: 0, seconds: 0 };

/**
 * Every verdict of an evaluation, each kept as it falls. It knows no attack and no model: what an evaluation comes to is
 * made from it, so one that goes on from the entries of another comes to the same.
 */
export class Ledger {
  readonly #right = new Map<number, boolean>();
  readonly #broken = new Map<string, Map<number, boolean>>();
  readonly #costs = new Map<string, { readonly batches: number; readonly cost: Cost }>();
  readonly #adversarial = new Map<number, Float32Array>();
  readonly #write: (entries: readonly LedgerEntry[]) => void;

  /** `entries` were kept before; `write` is given every further one before it counts. */
  constructor(
    options: {
      readonly entries?: Iterable<LedgerEntry>;
      readonly write?: (entries: readonly LedgerEntry[]) => void;
    } = {},
  ) {
    this.#write = options.write ?? (() => {});
    for (const entry of options.entries ?? []) this.#count(entry);
  }

  /** A verdict that is known already is left out; of two that differ, the one that breaks counts. */
  add(entries: readonly LedgerEntry[]): void {
    const fresh = entries.filter((entry) => !this.#knows(entry));
    if (fresh.length === 0) return;
    this.#write(fresh);
    for (const entry of fresh) this.#count(entry);
  }

  /** Takes over what another rank found. The images that broke examples stay there. */
  takeOver(entries: readonly FoundEntry[]): void {
    for (const entry of entries) if (!this.#knows(entry)) this.#count(entry);
  }

  /** Whether an example is classified rightly as it is; undefined where nobody looked. */
  isRight(place: number): boolean | undefined {
    return this.#right.get(place);
  }

  /** The places of the examples that are classified rightly, ascending. */
  right(): readonly number[] {
    return [...this.#right].flatMap(([place, right]) => (right ? [place] : [])).sort((a, b) => a - b);
  }

  /** Whether an attack broke an example; undefined where it was not tried to its end. */
  isBroken(attack: string, place: number): boolean | undefined {
    return this.#broken.get(attack)?.get(place);
  }

  /** The first of `attacks` that broke an example; null where none did. */
  brokenBy(attacks: readonly string[], place: number): string | null {
    return attacks.find((attack) => this.isBroken(attack, place) === true) ?? null;
  }

  /** Of the batches that are done. */
  cost(stage: string, part: Part): Cost {
    return this.#costs.get(`${stage} ${part}`)?.cost ?? nothing;
  }

  /** How many batches are done: their costs are known, and every verdict. */
  batches(stage: string, part: Part): number {
    return this.#costs.get(`${stage} ${part}`)?.batches ?? 0;
  }

  /** Of everything so far. */
  totalSeconds(): number {
    return [...this.#costs.values()].reduce((total, { cost }) => total + cost.seconds, 0);
  }

  /** The first image that broke an example, by its place. */
  get adversarial(): ReadonlyMap<number, Float32Array> {
    return this.#adversarial;
  }

  #knows(entry: FoundEntry): boolean {
    if (entry.type === 'clean') return this.#right.has(entry.place);
    if (entry.type === 'cost') return false;
    const known = this.isBroken(entry.attack, entry.place);
    return entry.type === 'broken' ? known === true : known !== undefined;
  }

  #count(entry: LedgerEntry | FoundEntry): void {
    if (entry.type === 'clean') this.#right.set(entry.place, entry.right);
    else if (entry.type === 'cost') {
      const key = `${entry.stage} ${entry.part}`;
      const { batches, cost } = this.#costs.get(key) ?? { batches: 0, cost: nothing };
      this.#costs.set(key, { batches: batches + 1, cost: sum(cost, entry) });
    } else {
      const places = this.#broken.get(entry.attack) ?? new Map<number, boolean>();
      this.#broken.set(entry.attack, places.set(entry.place, entry.type === 'broken'));
      if (entry.type === 'broken' && 'image' in entry && !this.#adversarial.has(entry.place))
        this.#adversarial.set(entry.place, entry.image);
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

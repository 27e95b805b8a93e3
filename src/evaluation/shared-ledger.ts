import type { ProcessGroup } from '../distributed/process-group.js';
import { type FoundEntry, Ledger, type LedgerEntry } from './ledger.js';

/** A ledger of one of several ranks, each of which measures its share of the examples. */
export interface SharedLedger {
  readonly ledger: Ledger;
  /** Which of these places are this rank's. */
  share(places: readonly number[]): number[];
  /** Brings what the ranks found since the last time to all of them. All must call it. */
  exchange(): void;
}

/** Alone, all places are this one's and nothing is exchanged. */
export function sharedLedger(ranks: ProcessGroup, own?: Ledger): SharedLedger {
  if (ranks.size === 1)
    return { ledger: own ?? new Ledger(), share: (places) => [...places], exchange: () => {} };
  let fresh: FoundEntry[] = [];
  const ledger = new Ledger({ write: (entries) => fresh.push(...entries.map(withoutImage)) });
  return {
    ledger,
    share: (places) => places.filter((_, at) => at % ranks.size === ranks.rank),
    exchange() {
      const all = ranks.allGatherText(JSON.stringify(fresh));
      fresh = [];
      for (const [rank, text] of all.entries())
        if (rank !== ranks.rank) ledger.takeOver(JSON.parse(text) as FoundEntry[]);
    },
  };
}

function withoutImage(entry: LedgerEntry): FoundEntry {
  if (entry.type !== 'broken') return entry;
  const { image: _, ...found } = entry;
  return found;
}

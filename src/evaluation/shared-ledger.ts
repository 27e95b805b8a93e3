import type { ProcessGroup } from '../distributed/process-group.js';
import { type FoundEntry, Ledger, type LedgerEntry } from './ledger.js';

/** The ledger of one of several ranks, each of which evaluates a share of the examples. */
export interface SharedLedger {
  readonly ledger: Ledger;
  /** This rank's share of the given indices. */
  share(indices: readonly number[]): number[];
  /** Exchanges the entries added since the last call. Collective: every rank must call it. */
  exchange(): void;
}

/** With a single process the share is all indices and `exchange` is a no-op. */
export function sharedLedger(group: ProcessGroup, existing?: Ledger): SharedLedger {
  if (group.size === 1)
    return { ledger: existing ?? new Ledger(), share: (indices) => [...indices], exchange: () => {} };
  let fresh: FoundEntry[] = [];
  const ledger = new Ledger({ write: (entries) => fresh.push(...entries.map(withoutImage)) });
  return {
    ledger,
    share: (indices) => indices.filter((_, position) => position % group.size === group.rank),
    exchange() {
      const all = group.allGatherText(JSON.stringify(fresh));
      fresh = [];
      for (const [rank, text] of all.entries())
        if (rank !== group.rank) ledger.merge(JSON.parse(text) as FoundEntry[]);
    },
  };
}

function withoutImage(entry: LedgerEntry): FoundEntry {
  if (entry.type !== 'broken') return entry;
  const { image: _, ...found } = entry;
  return found;
}

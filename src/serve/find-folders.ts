import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inBatches } from './in-batches.js';

/** The run folders, evaluation folders and demos below a folder, by slash-separated path; `.` is the folder itself. */
export interface FoundFolders {
  readonly runs: readonly string[];
  readonly evaluations: readonly string[];
  readonly demos: readonly string[];
  /** Whether there may be more, beyond the limits. */
  readonly isCut: boolean;
}

export interface FindLimits {
  /** Folders between the served one and a run. */
  readonly depth: number;
  /** Folders that are looked into. */
  readonly folders: number;
  /** Runs, and as many evaluations. */
  readonly found: number;
}

const standard: FindLimits = { depth: 6, folders: 20_000, found: 2_000 };

/** Folders in which no run lies. */
const skipped = new Set(['checkpoints', 'node_modules']);

/**
 * Looks for runs (`recipe.json` and `events.jsonl`), evaluations (`manifest.json` and `verdicts.jsonl`) and demos
 * (`demo.json`), the outermost first. Symbolic links are not followed; a folder that vanishes meanwhile is passed over.
 */
export async function findFolders(root: string, limits: FindLimits = standard): Promise<FoundFolders> {
  const runs: string[] = [];
  const evaluations: string[] = [];
  const demos: string[] = [];
  let level = ['.'];
  let looked = 0;
  for (let depth = 0; level.length > 0 && depth <= limits.depth; depth++) {
    const next: string[] = [];
    const room = limits.folders - looked;
    looked += level.length;
    const all = await inBatches(level.slice(0, room), async (path) => ({
      path,
      entries: await entriesOf(join(root, path)),
    }));
    for (const { path, entries } of all) {
      if ([runs, evaluations, demos].some(({ length }) => length >= limits.found))
        return { runs, evaluations, demos, isCut: true };
      const files = new Set(entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name));
      if (files.has('manifest.json') && files.has('verdicts.jsonl')) {
        evaluations.push(path);
        continue;
      }
      if (files.has('demo.json')) {
        demos.push(path);
        continue;
      }
      if (files.has('recipe.json') && files.has('events.jsonl')) runs.push(path);
      for (const entry of entries)
        if (entry.isDirectory() && !entry.name.startsWith('.') && !skipped.has(entry.name))
          next.push(path === '.' ? entry.name : `${path}/${entry.name}`);
    }
    if (looked > limits.folders) return { runs, evaluations, demos, isCut: true };
    level = next.sort();
  }
  return { runs, evaluations, demos, isCut: level.length > 0 };
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

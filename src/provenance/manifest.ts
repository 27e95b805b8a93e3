import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, hostname, totalmem } from 'node:os';
import { z } from 'zod';
import { packageFolder } from './package-folder.js';
import type { Place } from './place.js';
import { version } from './version.js';

/** The environment of a run, `manifest.json`; the recipe beside it defines the computation. */
export const manifestSchema = z.object({
  satin: z.string(),
  /** Commit of Satin's repository, with `-dirty` if files differ from it; null outside a clone. */
  commit: z.string().nullable(),
  node: z.string(),
  /** `linux x64` */
  platform: z.string(),
  host: z.string(),
  /** Processor model. */
  processor: z.string(),
  processors: z.number(),
  memoryBytes: z.number(),
  /** Properties of the engine: version, instruction set and so on. */
  engine: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  device: z.string(),
  threads: z.number(),
  seeds: z.record(z.string(), z.number()),
  /** Settings chosen by measurement, such as the memory format; reused on resume. */
  chosen: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Command line arguments. */
  command: z.array(z.string()),
  /** Start time, ISO 8601. */
  started: z.string(),
});

export type Manifest = z.output<typeof manifestSchema>;

/** The fields provided by the caller. */
export type ManifestFacts = Readonly<Pick<Manifest, 'engine' | 'device' | 'threads' | 'seeds' | 'chosen'>>;

/** The manifest of a run started now by this process. */
export function makeManifest(facts: ManifestFacts): Manifest {
  return {
    satin: version,
    commit: satinCommit(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    host: hostname(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    ...facts,
    command: ['satin', ...process.argv.slice(2)],
    started: new Date().toISOString(),
  };
}

/** The device of a manifest. */
export function placeOf({ device, engine: { card } }: Pick<Manifest, 'device' | 'engine'>): Place {
  return { device, card: typeof card === 'string' ? card : null };
}

/** The commit of Satin's clone; null outside a clone or without git. */
export function satinCommit(): string | null {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', packageFolder, ...args], {
      encoding: 'utf8',
      timeout: 5_000,
      stdio: 'pipe',
    }).trim();
  try {
    // Ignore an enclosing repository that contains a copy of Satin.
    if (git('rev-parse', '--show-prefix') !== '') return null;
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '-dirty'}`;
  } catch {
    return null;
  }
}

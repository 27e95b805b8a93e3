import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, hostname, totalmem } from 'node:os';
import { z } from 'zod';
import { packageFolder } from './package-folder.js';
import { version } from './version.js';

/** Where and with what a run was made: `manifest.json`. The recipe beside it says what was computed. */
export const manifestSchema = z.object({
  satin: z.string(),
  /** Of Satin's own repository; null where it is no clone. `-dirty` where files differ from it. */
  commit: z.string().nullable(),
  node: z.string(),
  /** `linux x64` */
  platform: z.string(),
  host: z.string(),
  /** Model of the processor and how many there are. */
  processor: z.string(),
  processors: z.number(),
  memoryBytes: z.number(),
  /** What the engine says of itself: version, instruction set and so on. */
  engine: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  device: z.string(),
  threads: z.number(),
  seeds: z.record(z.string(), z.number()),
  /** What was chosen by measuring, such as the memory layout; used again on resume. */
  chosen: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** The words of the command line. */
  command: z.array(z.string()),
  /** ISO 8601. */
  started: z.string(),
});

export type Manifest = z.output<typeof manifestSchema>;

/** What only the caller knows. */
export type ManifestFacts = Readonly<Pick<Manifest, 'engine' | 'device' | 'threads' | 'seeds' | 'chosen'>>;

/** The manifest of a run that starts now in this process. */
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

/** The commit of Satin's clone; null where it is none or git is not there. */
export function satinCommit(): string | null {
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', packageFolder, ...words], {
      encoding: 'utf8',
      timeout: 5_000,
      stdio: 'pipe',
    }).trim();
  try {
    // A copy of Satin inside another repository has no commit of its own.
    if (git('rev-parse', '--show-prefix') !== '') return null;
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '-dirty'}`;
  } catch {
    return null;
  }
}

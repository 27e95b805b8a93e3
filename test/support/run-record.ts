/** What a run or an evaluation comes to, in a form in which that of an undisturbed one is the same. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CheckpointName, readCheckpoint } from '../../src/runs/checkpoint.js';

const names: readonly CheckpointName[] = ['last', 'best', 'healthy'];

/** Digests of weights and other state, and what else the record of a checkpoint says. */
export type Kept = Readonly<Record<string, unknown>>;

/**
 * The checkpoints in a run folder, by name and step; each is read, which compares its digests.
 *
 * @throws {InputError} if one is damaged.
 */
export function checkpointsIn(run: string): Map<string, Kept> {
  const found = names.filter((name) => existsSync(join(run, 'checkpoints', `${name}.json`)));
  return new Map(
    found.map((name) => {
      readCheckpoint({ path: run, names: [name] });
      const { content } = JSON.parse(readFileSync(join(run, 'checkpoints', `${name}.json`), 'utf8'));
      const { weights, optimizer, ...others } = content;
      // A step that is written again has files of another name.
      return [
        `${name} ${others.step}`,
        { ...others, weights: weights.digest, optimizer: optimizer?.digest ?? null },
      ] as const;
    }),
  );
}

/** Whether a write of a checkpoint had not ended: of one at rest there are `last.json` and two files. */
export function isHalfWritten(run: string): boolean {
  const folder = join(run, 'checkpoints');
  if (!existsSync(folder)) return false;
  const files = readdirSync(folder);
  return (
    files.some((file) => file.endsWith('.tmp')) ||
    files.filter((file) => file.startsWith('last')).length !== 3
  );
}

/** What a clock wrote: it may differ. */
const clocked = ['time', 'seconds', 'imagesPerSecond'];

/** The lines of `events.jsonl` but for times, and without `resume`, which only a run that was resumed has. */
export function eventsOf(run: string): readonly unknown[] {
  return linesOf(join(run, 'events.jsonl')).filter((event) => event.type !== 'resume');
}

/** The lines of a file of JSON but for times. */
export function linesOf(file: string): readonly Readonly<Record<string, unknown>>[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => withoutTimes(JSON.parse(line)));
}

/** A value of JSON without what a clock wrote, however deep. */
export function withoutTimes<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (key, each: unknown) =>
    clocked.includes(key) ? undefined : each,
  );
}

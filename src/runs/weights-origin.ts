import { basename, dirname } from 'node:path';
import { z } from 'zod';
import type { WeightsResult } from '../evaluation/result.js';
import type { Checkpoint } from './checkpoint.js';
import { readEvents } from './event-log.js';
import type { RunEvent } from './events.js';
import { isRunFolder } from './run-folder.js';

type RunReach = NonNullable<WeightsResult['run']>;

/** Of the state of a checkpoint only this; the epoch is the one that follows. */
const stateSchema = z.object({ epoch: z.int().min(1) });

/**
 * The origin of the weights in `checkpoint`, which `path` named: a run folder, or the JSON of a checkpoint. null for a
 * weights file, which does not say it.
 */
export function weightsOrigin(path: string, { progress, weightsFile }: Checkpoint): WeightsResult | null {
  const { success, data } = stateSchema.safeParse(progress?.state);
  if (!success || progress === null) return null;
  const folder = [path, dirname(dirname(path))].find(isRunFolder);
  return {
    kept: basename(weightsFile).replace(/-.*$/, ''),
    epoch: data.epoch - 1,
    step: progress.step,
    run: folder === undefined ? null : runReach(readEvents(folder)),
  };
}

/** How far the run of these events has come; null if it never started. */
export function runReach(events: readonly RunEvent[]): RunReach | null {
  const start = events.find((event) => event.type === 'start');
  if (start === undefined) return null;
  return { epochs: events.filter(({ type }) => type === 'epoch').length, planned: start.epochs };
}

import { closeSync, existsSync, openSync, readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { printable } from '../../errors.js';
import { writeWhole } from '../../files/durable-file.js';
import { makeFolder } from '../../files/make-folder.js';
import { explainWriteError } from '../../files/system-error.js';
import type { RunEvent } from '../events.js';
import { scalarsOf } from '../scalars.js';
import { scalarBytes, versionBytes } from './event-bytes.js';
import { recordBytes } from './record-bytes.js';

/** A file in `RUN/tensorboard`, for `tensorboard --logdir RUN`. */
export interface EventFile extends Disposable {
  append(event: RunEvent): void;
}

const suffix = '.satin';

/** The folder of a run's event files. A run that has one keeps it, without being asked again. */
export const eventsFolder = (run: string) => join(run, 'tensorboard');

/**
 * Opens an event file of TensorBoard beside `events.jsonl`, with the events so far. The files of an earlier process are replaced:
 * steps that are repeated after an interruption would be drawn twice.
 *
 * @throws {InputError} if it cannot be written.
 */
export function openEventFile(run: string, before: readonly RunEvent[]): EventFile {
  const folder = eventsFolder(run);
  makeFolder(folder);
  for (const name of readdirSync(folder)) if (name.endsWith(suffix)) rmSync(join(folder, name));
  const began = Date.now() / 1000;
  const host = printable(hostname()).replaceAll(/[^\w.-]/g, '_');
  const path = join(folder, `events.out.tfevents.${Math.floor(began)}.${host}${suffix}`);
  const file = openSync(path, 'w');
  const write = (bytes: Uint8Array) => {
    try {
      writeWhole(file, bytes);
    } catch (error) {
      throw explainWriteError(path, error);
    }
  };
  const append = (event: RunEvent) => {
    const scalars = scalarsOf(event);
    if (scalars.length > 0 && 'step' in event)
      write(recordBytes(scalarBytes(Date.parse(event.time) / 1000, event.step, scalars)));
  };
  write(recordBytes(versionBytes(began)));
  for (const event of before) append(event);
  return { append, [Symbol.dispose]: () => closeSync(file) };
}

/** Whether a run has event files. */
export const hasEventFile = (run: string): boolean => existsSync(eventsFolder(run));

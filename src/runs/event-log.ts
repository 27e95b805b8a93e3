import { closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { explainWriteError, type WriteBytes, writeFileDurably, writeWhole } from '../files/durable-file.js';
import type { RunEvent } from './events.js';
import { runEventSchema } from './events.js';

/** `events.jsonl`: one event a line, only ever appended to while a run goes on. */
export interface EventLog {
  append(event: RunEvent): void;
  close(): void;
}

/**
 * Opens the log of a run to append to it.
 *
 * @throws InputError 'disk-full' from `append`; a line that did not fit is taken back.
 */
export function openEventLog(run: string, write?: WriteBytes): EventLog {
  const path = pathOf(run);
  const file = openSync(path, 'a');
  let length = readFileSync(path).length;
  return {
    append(event) {
      const line = Buffer.from(`${JSON.stringify(event)}\n`);
      try {
        writeWhole(file, line, write);
        length += line.length;
      } catch (error) {
        ftruncateSync(file, length);
        throw explainWriteError(path, error);
      }
    },
    close: () => closeSync(file),
  };
}

/**
 * The events of a run, while it goes on too: a last line that is not whole yet is left out.
 *
 * @throws InputError that names the line which is no event.
 */
export function readEvents(run: string): RunEvent[] {
  return readLines(run).map(({ event }) => event);
}

/** Takes a run's log back: drops a half-written last line and every event that is not kept, as it will come again. */
export function rewindEvents(run: string, isKept: (event: RunEvent) => boolean): void {
  const kept = readLines(run).filter(({ event }) => isKept(event));
  writeFileDurably(pathOf(run), [Buffer.from(kept.map(({ line }) => `${line}\n`).join(''))]);
}

function pathOf(run: string): string {
  return join(run, 'events.jsonl');
}

function readLines(run: string): { readonly line: string; readonly event: RunEvent }[] {
  const path = pathOf(run);
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw InputError.expected('a run folder, with events.jsonl in it,', 'the run', run, String(error));
  }
  const lines = content.split('\n').slice(0, -1);
  return lines.map((line, index) => ({ line, event: parseEvent(line, `line ${index + 1} of ${path}`) }));
}

function parseEvent(line: string, source: string): RunEvent {
  try {
    return runEventSchema.parse(JSON.parse(line));
  } catch (error) {
    throw new InputError('broken-file', `Expected an event in ${source} but it cannot be read.`, {
      cause: error,
    });
  }
}

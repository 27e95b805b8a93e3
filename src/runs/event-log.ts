import { closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { type WriteBytes, writeFileDurably, writeWhole } from '../files/durable-file.js';
import { parseJson } from '../files/parse-json.js';
import { explainWriteError } from '../files/system-error.js';
import { requireArgument } from '../user-input/require-argument.js';
import type { RunEvent } from './events.js';
import { runEventSchema } from './events.js';

/** `events.jsonl`: one event per line, append-only during a run. */
export interface EventLog {
  append(event: RunEvent): void;
  close(): void;
}

/**
 * Opens the event log of a run for appending.
 *
 * @throws InputError 'disk-full' from `append`; a partial line is rolled back.
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
 * The events of a run, also while it is running: an incomplete last line is ignored.
 *
 * @throws InputError naming the first invalid line.
 */
export function readEvents(run: string): RunEvent[] {
  requireArgument(run, 'text', 'the path of a run');
  return readLines(run).map(({ event }) => event);
}

/** Rewinds the log of a run: drops an incomplete last line and every event that is not kept. */
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
    return runEventSchema.parse(parseJson(line));
  } catch (error) {
    throw new InputError('broken-file', `Expected an event in ${source} but the line is invalid.`, {
      cause: error,
    });
  }
}

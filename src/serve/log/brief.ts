import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '../../runs/events.js';
import { parseLine } from './parse-line.js';
import type { StepEvent } from './step-buckets.js';

type EpochEvent = Extract<RunEvent, { type: 'epoch' }>;

/** What the list shows of a log. */
export interface LogBrief {
  readonly start: Extract<RunEvent, { type: 'start' }> | undefined;
  /** The last event that says whether the run goes on. */
  readonly state: RunEvent | undefined;
  readonly lastStep: StepEvent | undefined;
  /** The first step after the last start or resumption that is in the tail, to measure the speed. */
  readonly firstStep: StepEvent | undefined;
  readonly lastEpoch: EpochEvent | undefined;
  /** The epoch with the highest accuracy of those that were seen. */
  readonly best: EpochEvent | undefined;
  readonly warnings: number;
  /** Whether every epoch has been seen. */
  readonly isWhole: boolean;
}

const headBytes = 4096;
const tailBytes = 32 * 1024;
/** A log of up to this is searched whole at the first look. */
const scanAtOnce = 2 ** 16;
/** Searched at each further look. */
const scanBytes = 2 ** 18;
const epochMark = Buffer.from('{"type":"epoch"');
const warningMark = Buffer.from('{"type":"warning"');

/**
 * The list's view of one log: its head and its tail are read, and the rest is only searched for epochs and warnings, a
 * piece at a time, so that a folder of long runs is listed at once.
 */
export class BriefLog {
  readonly #path: string;
  #identity = '';
  #size = -1;
  #scanned = 0;
  #best: EpochEvent | undefined;
  #warnings = 0;
  #brief: LogBrief = nothing;

  constructor(run: string) {
    this.#path = join(run, 'events.jsonl');
  }

  /**
   * Reads what is new, up to `scanBytes`.
   *
   * @returns undefined if the log is gone.
   */
  async refresh(): Promise<LogBrief | undefined> {
    let file: FileHandle;
    try {
      file = await open(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch {
      return undefined;
    }
    try {
      const found = await file.stat();
      const { ino, birthtimeMs, size } = found;
      if (!found.isFile()) return undefined;
      const identity = `${ino}/${birthtimeMs}`;
      if (identity !== this.#identity || size < this.#size) {
        this.#scanned = 0;
        this.#best = undefined;
        this.#warnings = 0;
        this.#size = -1;
        this.#identity = identity;
      }
      if (size === this.#size && this.#brief.isWhole) return this.#brief;
      // The first look at a long log is at its ends alone.
      if (this.#size >= 0 || size <= scanAtOnce) await this.#scan(file, size);
      const head = size === this.#size ? this.#brief.start : await startOf(file);
      const tail = size === this.#size ? this.#brief : await tailOf(file, size);
      this.#size = size;
      const best = better(this.#best, tail.best);
      const isWhole = this.#scanned >= size;
      this.#brief = { ...tail, start: head, best, warnings: this.#warnings, isWhole };
      return this.#brief;
    } catch {
      return undefined;
    } finally {
      await file.close().catch(() => undefined);
    }
  }

  /** Searches the next piece for epochs and warnings, up to its last newline. */
  async #scan(file: FileHandle, size: number): Promise<void> {
    const length = Math.min(scanBytes, size - this.#scanned);
    if (length <= 0) return;
    const piece = Buffer.allocUnsafe(length);
    const { bytesRead } = await file.read(piece, 0, length, this.#scanned);
    const end = piece.lastIndexOf(10, bytesRead - 1) + 1;
    if (end === 0) {
      // No line is that long; a half-written one at the end is awaited.
      if (bytesRead === scanBytes) this.#scanned += bytesRead;
      else if (this.#scanned + bytesRead >= size) this.#scanned = size - bytesRead;
      return;
    }
    const lines = piece.subarray(0, end);
    for (const line of linesWith(lines, epochMark)) {
      const event = parseLine(line);
      if (event?.type === 'epoch') this.#best = better(this.#best, event);
    }
    for (const line of linesWith(lines, warningMark))
      if (parseLine(line)?.type === 'warning') this.#warnings += 1;
    this.#scanned += end;
    // What follows the last newline of the log is no line yet.
    if (this.#scanned + (bytesRead - end) >= size) this.#scanned = size - (bytesRead - end);
  }
}

const nothing: LogBrief = {
  start: undefined,
  state: undefined,
  lastStep: undefined,
  firstStep: undefined,
  lastEpoch: undefined,
  best: undefined,
  warnings: 0,
  isWhole: false,
};

/** The lines that begin with a mark. */
function* linesWith(bytes: Buffer, mark: Buffer): Generator<string> {
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    if (at > 0 && bytes[at - 1] !== 10) continue;
    yield bytes.toString('utf8', at, bytes.indexOf(10, at));
  }
}

/** The measurement that selects the best checkpoint is the last one. */
export function chosenAccuracy({ measurements }: EpochEvent): number | undefined {
  const [name = '', value] = Object.entries(measurements).at(-1) ?? [];
  return name.startsWith('validation/') && value !== undefined && Number.isFinite(value) ? value : undefined;
}

function better(one: EpochEvent | undefined, other: EpochEvent | undefined): EpochEvent | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (chosenAccuracy(other) ?? -1) > (chosenAccuracy(one) ?? -1) ? other : one;
}

async function startOf(file: FileHandle): Promise<LogBrief['start']> {
  const head = Buffer.alloc(headBytes);
  const { bytesRead } = await file.read(head, 0, headBytes, 0);
  const [line = ''] = head.toString('utf8', 0, bytesRead).split('\n');
  const event = parseLine(line);
  return event?.type === 'start' ? event : undefined;
}

async function tailOf(file: FileHandle, size: number): Promise<LogBrief> {
  const length = Math.min(tailBytes, size);
  const tail = Buffer.alloc(length);
  const { bytesRead } = await file.read(tail, 0, length, size - length);
  const lines = tail
    .toString('utf8', 0, bytesRead)
    .split('\n')
    .slice(length < size ? 1 : 0, -1);
  let brief = nothing;
  for (const line of lines) {
    const event = parseLine(line);
    if (event === undefined) continue;
    switch (event.type) {
      case 'step':
        brief = { ...brief, state: event, lastStep: event, firstStep: brief.firstStep ?? event };
        break;
      case 'epoch':
        // The evaluation after an epoch is not part of the speed of its steps.
        brief = { ...brief, lastEpoch: event, best: better(brief.best, event), firstStep: undefined };
        break;
      case 'start':
      case 'resume':
        brief = { ...brief, state: event, firstStep: undefined };
        break;
      case 'end':
      case 'failed':
      case 'interrupted':
        brief = { ...brief, state: event };
        break;
    }
  }
  return brief;
}

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '../../runs/events.js';
import { stoppedEarly } from '../../runs/stopped-early.js';
import type { EpochRecord, RunMessage } from '../api.js';
import { FollowedFile } from './follow-file.js';
import { parseLine } from './parse-line.js';
import { StepBuckets, type StepEvent } from './step-buckets.js';

/** Kept in memory for a run; of more, the latest. */
const limits = { buckets: 4096, epochs: 10_000, messages: 500 };
/** Of a log in which more than this is asked for, the buckets are shown as they are. */
const largestDetail = 2 ** 24;

/**
 * Everything that the page of a run shows of its log: read once, then followed. Its memory does not grow with the log.
 */
export class RunIndex {
  readonly #path: string;
  readonly #file: FollowedFile;
  #buckets = new StepBuckets(limits.buckets);
  #start: Extract<RunEvent, { type: 'start' }> | undefined;
  #epochs: EpochRecord[] = [];
  #messages: RunMessage[] = [];
  #warnings = 0;
  #broken = 0;
  #began = Number.NaN;
  #reading: Promise<boolean> | undefined;

  constructor(run: string) {
    this.#path = join(run, 'events.jsonl');
    this.#file = new FollowedFile(this.#path, {
      onLine: (line, offset) => this.#take(line, offset),
      onBroken: () => {
        this.#broken += 1;
      },
      onRestart: () => this.#reset(),
    });
  }

  get start(): Extract<RunEvent, { type: 'start' }> | undefined {
    return this.#start;
  }

  get epochs(): readonly EpochRecord[] {
    return this.#epochs;
  }

  get messages(): readonly RunMessage[] {
    return this.#messages;
  }

  get warnings(): number {
    return this.#warnings;
  }

  get brokenLines(): number {
    return this.#broken;
  }

  /** Share of the log that was read. */
  get share(): number {
    return this.#file.share;
  }

  /** Reads on for about `milliseconds`; callers at the same time share one reading. @returns whether it is at the end. */
  catchUp(milliseconds: number): Promise<boolean> {
    this.#reading ??= this.#file.read({ milliseconds }).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /**
   * The curves from step `from` to step `to`, in at most `width` buckets. A part is read from the log again where that
   * shows more; steps beyond what has been read are sampled.
   */
  async curves(range: { readonly from: number; readonly to: number; readonly width: number }) {
    const { from, to, width } = range;
    const whole = this.#buckets.curves(range);
    if (this.share < 1) {
      const all = new StepBuckets(2 * width);
      for (const event of this.#samples(width)) all.add(event, { seconds: this.#secondsOf(event) });
      return all.curves(range);
    }
    if (whole.step.length >= width || this.#buckets.stepsPerBucket === 1) return whole;
    const { begin, end } = this.#buckets.bytesOf(from, to, this.#file.size);
    if (end - begin > largestDetail) return whole;
    const fine = new StepBuckets(Math.max(width, 2048));
    for (const line of (await readPart(this.#path, begin, end)).split('\n')) {
      const event = parseLine(line);
      if (event?.type === 'step' && event.step >= from && event.step <= to)
        fine.add(event, { seconds: this.#secondsOf(event) });
    }
    // Read while the run was rewound, it may hold nothing.
    return fine.count === 0 ? whole : fine.curves(range);
  }

  /**
   * Steps at evenly spaced places of the log, a few milliseconds of reading; not awaited one by one, which would let the
   * reading of the whole log go first.
   */
  #samples(count: number): StepEvent[] {
    try {
      const file = openSync(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const { size } = fstatSync(file);
        const part = Buffer.alloc(1024);
        return Array.from({ length: count }, (_, place) => {
          const bytes = readSync(file, part, 0, part.length, Math.floor((place / count) * size));
          const [, ...lines] = part.toString('utf8', 0, bytes).split('\n').slice(0, -1);
          return lines.map(parseLine).find((event) => event?.type === 'step');
        }).filter((event): event is StepEvent => event?.type === 'step');
      } finally {
        closeSync(file);
      }
    } catch {
      return []; // gone meanwhile
    }
  }

  #secondsOf({ time }: { readonly time: string }): number {
    const seconds = (Date.parse(time) - this.#began) / 1000;
    return Number.isFinite(seconds) ? seconds : 0;
  }

  #reset(): void {
    this.#buckets = new StepBuckets(limits.buckets);
    this.#start = undefined;
    this.#epochs = [];
    this.#messages = [];
    this.#warnings = 0;
    this.#broken = 0;
    this.#began = Number.NaN;
  }

  #take(line: string, offset: number): void {
    const event = parseLine(line);
    if (event === undefined) {
      this.#broken += 1;
      return;
    }
    if (Number.isNaN(this.#began)) this.#began = Date.parse(event.time);
    switch (event.type) {
      case 'step':
        if (!this.#buckets.add(event, { seconds: this.#secondsOf(event), offset })) this.#broken += 1;
        return;
      case 'epoch': {
        const measurements = Object.entries(event.measurements).slice(0, 64);
        this.#epochs.push({
          epoch: event.epoch,
          step: event.step,
          seconds: finite(event.seconds),
          measurements: Object.fromEntries(measurements.map(([name, value]) => [name, finite(value)])),
        });
        if (this.#epochs.length > limits.epochs) this.#epochs.shift();
        return;
      }
      case 'checkpoint':
        return;
      case 'start':
        this.#start = event;
        break;
      case 'warning':
        this.#warnings += 1;
        break;
    }
    this.#messages.push({
      type: event.type,
      time: event.time,
      step: 'step' in event ? event.step : 0,
      text: textOf(event),
    });
    if (this.#messages.length > limits.messages) this.#messages.shift();
  }
}

/** What the page says of an event. */
function textOf(event: Exclude<RunEvent, { type: 'step' | 'epoch' | 'checkpoint' }>): string {
  switch (event.type) {
    case 'warning':
    case 'failed':
      return event.message.slice(0, 4000);
    case 'start':
    case 'resume': {
      const { device, card, precision } = event;
      const place = device === undefined ? '' : ` on ${device}${card == null ? '' : ` (${card})`}`;
      const how = precision === undefined ? '' : ` in ${precision}`;
      return `${event.type === 'start' ? 'Started' : 'Resumed'}${place}${how}.`;
    }
    case 'interrupted':
      return 'Interrupted; a checkpoint was written.';
    case 'end':
      return stoppedEarly(event) ?? 'Finished.';
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

async function readPart(path: string, begin: number, end: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(end - begin);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, begin);
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

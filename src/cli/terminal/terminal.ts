import picocolors from 'picocolors';
import type { RunEvent } from '../../runs/events.js';
import { type BarState, createBar, type DisplayStream } from './bar.js';
import { percentage, shortTime } from './format.js';
import { followTraining, tableHeader } from './training-lines.js';

/**
 * What a person sees of a long command: a line for each epoch, and on a terminal a bar below it. It is told
 * events and numbers, and knows nothing of what makes them. Without a terminal there are plain lines only.
 */
export interface Display {
  /** An event of a training run, as the run folder records it. */
  event(event: RunEvent): void;
  /** How far a step is that has no events: an evaluation, a download. Every call brings the latest numbers. */
  progress(progress: DisplayProgress): void;
  /** A sentence on a line of its own. */
  note(sentence: string): void;
  /** Removes the bar. Call it before anything else is written, and at the end. */
  close(): void;
}

export interface DisplayProgress {
  /** What is going on: `pgd-50`. Another label begins another bar. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** Share of the examples so far that no attack has broken. */
  readonly robust?: number;
  /** Until all is done, not this step alone. @default told from how fast `done` grows */
  readonly secondsLeft?: number;
}

export interface DisplayOptions {
  /** @default process.stderr */
  readonly stream?: DisplayStream;
  /** Of a run that is resumed: its events so far, which are not shown again. @default [] */
  readonly history?: readonly RunEvent[];
  /** Milliseconds since any moment. @default performance.now */
  readonly now?: () => number;
}

/** Without a terminal, a step that takes long says where it is this often. */
const plainMilliseconds = 60_000;

export function createDisplay(options: DisplayOptions = {}): Display {
  const { stream = process.stderr, history = [], now = () => performance.now() } = options;
  const isTerminal = stream.isTTY === true && process.env.TERM !== 'dumb';
  const colors = picocolors.createColors(isTerminal && stream.hasColors?.() === true);
  const bar = createBar(stream);
  const follow = followTraining();
  for (const event of history) follow(event);
  let hasHeader = false;
  let lastLine = now();
  let began = { label: '', done: 0, time: 0 };

  const write = (line: string): void => {
    bar.clear();
    stream.write(`${line}\n`);
    lastLine = now();
  };
  const show = (state: BarState): void => {
    if (isTerminal) bar.show(state);
    else if (now() - lastLine >= plainMilliseconds)
      write([state.label, `${state.done}/${state.total}`, ...state.details].join('  '));
  };

  return {
    event(event) {
      const shown = follow(event);
      if (shown?.kind === 'bar') show(shown.bar);
      if (shown?.kind === 'note') write(shown.text);
      if (shown?.kind !== 'row') return;
      if (!hasHeader) write(colors.bold(tableHeader));
      hasHeader = true;
      write(shown.text);
    },
    progress({ label, done, total, robust, secondsLeft }) {
      if (label !== began.label || done < began.done) began = { label, done, time: now() };
      const left = secondsLeft ?? ((now() - began.time) / 1000 / (done - began.done)) * (total - done);
      const details = [
        ...(robust === undefined ? [] : [`robust ${percentage(robust)}`]),
        ...(secondsLeft !== undefined || done > began.done ? [`${shortTime(left)} left`] : []),
      ];
      show({ label, done, total, details });
    },
    note: write,
    close: () => bar.clear(),
  };
}

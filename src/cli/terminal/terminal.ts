import { printable, printableLines } from '../../errors.js';
import type { RunEvent } from '../../runs/events.js';
import { coloursOf } from './colours.js';
import { percentage, shortTime } from './format.js';
import { warningText } from './print.js';
import { type BarState, createBar, type DisplayStream } from './progress-bar.js';
import { formatTraining, tableHeader } from './training-lines.js';

/**
 * The progress output of a long-running command: one line per epoch, and on a terminal a progress bar below. It
 * receives events and numbers, independent of their source. Without a terminal it prints plain lines only.
 */
export interface Display extends Disposable {
  /** Shows an event of a training run, as recorded in the run folder. */
  event(event: RunEvent): void;
  /** Shows the progress of an operation without events, such as an evaluation or a download. */
  progress(progress: DisplayProgress): void;
  /** Prints a sentence on a separate line. */
  note(sentence: string): void;
  /** Prints that something is odd. */
  warning(sentence: string): void;
  /** Removes the bar. Call it before other output, and at the end. */
  close(): void;
}

export interface DisplayProgress {
  /** Current stage, such as `pgd-50`. A new label starts a new bar. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** Robust accuracy so far. */
  readonly robust?: number;
  /** Estimated time until everything is done, not only this stage. @default extrapolated from the rate of `done` */
  readonly secondsLeft?: number;
}

export interface DisplayOptions {
  /** @default process.stderr */
  readonly stream?: DisplayStream;
  /** Previous events of a resumed run, which are not shown again. @default [] */
  readonly history?: readonly RunEvent[];
  /** Epochs of other runs after this one, which its time left includes. @default 0 */
  readonly epochsAfter?: number;
  /** The time of the clock before which no bar is drawn: nothing flashes up in what is soon done. @default 0 */
  readonly quietUntil?: number;
  /** A clock in milliseconds. @default performance.now, which counts from the start of the program */
  readonly now?: () => number;
}

/** One second after the program began: what ends before it shows no bar. */
export const afterOneSecond = 1000;

/** Interval of progress lines without a terminal. */
const plainMilliseconds = 60_000;

export function createDisplay(options: DisplayOptions = {}): Display {
  const { stream = process.stderr, history = [], epochsAfter = 0, quietUntil = 0 } = options;
  const { now = () => performance.now() } = options;
  const isTerminal = stream.isTTY === true && process.env.TERM !== 'dumb';
  const colours = coloursOf(stream);
  const bar = createBar(stream);
  const format = formatTraining({ epochsAfter });
  for (const event of history) format(event);
  let hasHeader = false;
  let lastLine = now();
  let started = { label: '', done: 0, time: 0 };

  const write = (line: string): void => {
    bar.clear();
    stream.write(`${line}\n`);
    lastLine = now();
  };
  const show = (state: BarState): void => {
    if (isTerminal && now() < quietUntil) return;
    if (isTerminal) bar.show(state);
    else if (now() - lastLine >= plainMilliseconds)
      write([state.label, `${state.done}/${state.total}`, ...state.details].join('  '));
  };

  return {
    event(event) {
      const shown = format(event);
      if (shown?.kind === 'bar') show(shown.bar);
      if (shown?.kind === 'note') write(printableLines(shown.text));
      if (shown?.kind === 'warning') write(warningText(shown.text, stream).trimEnd());
      if (shown?.kind !== 'row') return;
      if (!hasHeader) write(colours.bold(tableHeader));
      hasHeader = true;
      write(shown.text);
    },
    progress({ label, done, total, robust, secondsLeft }) {
      if (label !== started.label || done < started.done) started = { label, done, time: now() };
      const left = secondsLeft ?? ((now() - started.time) / 1000 / (done - started.done)) * (total - done);
      const details = [
        ...(robust === undefined ? [] : [`robust ${percentage(robust)}`]),
        ...(secondsLeft !== undefined || done > started.done ? [`${shortTime(left)} left`] : []),
      ];
      show({ label: printable(label), done, total, details });
    },
    note: (sentence) => write(printableLines(sentence)),
    warning: (sentence) => write(warningText(sentence, stream).trimEnd()),
    close: () => bar.clear(),
    [Symbol.dispose]: () => bar.clear(),
  };
}

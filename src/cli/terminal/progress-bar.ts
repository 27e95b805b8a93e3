import { SingleBar } from 'cli-progress';

/** Output stream of a display: `process.stderr`, or a stream in a test. */
export type DisplayStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  hasColors?(): boolean;
};

export interface BarState {
  /** Current stage: `epoch 3/30`. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** Additional values in order of importance; the last ones are dropped on narrow terminals. */
  readonly details: readonly string[];
}

/** A progress bar on the last line of a terminal. */
export interface Bar {
  show(state: BarState): void;
  /** Removes the line, so that others can be written; the next `show` draws it again. */
  clear(): void;
}

const narrowestBar = 8;
const widestBar = 30;

/** Creates a progress bar. It never wraps: on narrow terminals the last details are dropped, then the bar. */
export function createBar(stream: DisplayStream): Bar {
  let state: BarState = { label: '', done: 0, total: 1, details: [] };
  const bar = new SingleBar({
    stream,
    clearOnComplete: true,
    // The line always fits, so the terminal's wrap mode is not changed, which a crash could not restore.
    linewrap: true,
    format: () => barLine(state, stream.columns === undefined || stream.columns === 0 ? 80 : stream.columns),
  });
  return {
    show(next) {
      const isNew = !bar.isActive || next.label !== state.label;
      state = next;
      if (isNew) bar.stop();
      if (isNew) bar.start(next.total, next.done);
      else bar.update(next.done);
    },
    clear: () => bar.stop(),
  };
}

/** `epoch 3/30 ███████░░░  70%  loss 0.532  20s left`, at most `columns` - 1 wide, since a full line may wrap. */
export function barLine({ label, done, total, details }: BarState, columns: number): string {
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const shown = [...details];
  const line = (width: number) => {
    const full = Math.round(share * width);
    const bar = width === 0 ? '' : ` ${'█'.repeat(full)}${'░'.repeat(width - full)}`;
    return [`${label}${bar} ${String(Math.floor(share * 100)).padStart(3)}%`, ...shown].join('  ');
  };
  while (shown.length > 0 && line(narrowestBar).length >= columns) shown.pop();
  const room = columns - 1 - line(0).length - 1;
  return line(room < narrowestBar ? 0 : Math.min(room, widestBar)).slice(0, Math.max(0, columns - 1));
}

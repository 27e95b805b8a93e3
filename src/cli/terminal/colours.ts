import picocolors from 'picocolors';
import type { DisplayStream } from './progress-bar.js';

/** Colours where a terminal has them: none with NO_COLOR, on a dumb terminal, or where there is no terminal. */
export function coloursOf(stream: DisplayStream): ReturnType<typeof picocolors.createColors> {
  const isTerminal = stream.isTTY === true && process.env.TERM !== 'dumb';
  return picocolors.createColors(isTerminal && stream.hasColors?.() === true);
}

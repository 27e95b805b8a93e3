import { Help } from '@commander-js/extra-typings';
import { proseWidth } from './line-width.js';

const help = new Help();
help.minWidthToWrap = 0; // of itself it leaves narrower texts as they are

/** Breaks a text into lines that fit the terminal, each after `indent` spaces. */
export function wrapped(text: string, { indent = 2, width = proseWidth() } = {}): string[] {
  return help
    .boxWrap(text, Math.max(20, width - indent))
    .split('\n')
    .map((line) => `${' '.repeat(indent)}${line}`);
}

import { printable } from '../../errors.js';
import { lineWidth } from './line-width.js';

export interface ColumnOptions {
  /** The columns that are right-aligned; the others are left-aligned. @default [] */
  readonly right?: readonly number[];
  /** How many of the last columns may be left out, from the end, where lines would be longer than `width`. @default 0 */
  readonly optional?: number;
  /** @default as wide as the terminal */
  readonly width?: number;
}

/** Formats rows as aligned columns. */
export function columns(
  rows: readonly (readonly string[])[],
  { right = [], optional = 0, width = lineWidth() }: ColumnOptions = {},
): string[] {
  const shown = rows.map((row) => row.map(printable));
  const widths = (shown[0] ?? []).map((_, column) =>
    Math.max(...shown.map((row) => (row[column] ?? '').length)),
  );
  let count = widths.length;
  const least = count - optional;
  const lengthOf = (columns: number) => widths.slice(0, columns).reduce((sum, each) => sum + each + 2, -2);
  while (count > least && lengthOf(count) > width) count--;
  return shown.map((row) =>
    row
      .slice(0, count)
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** What is printable of a text, truncated to `length` characters; the end is kept, which distinguishes paths. */
export function shortened(path: string, length: number): string {
  const text = printable(path);
  return text.length <= length ? text : `…${text.slice(1 - length)}`;
}

import { printable } from '../../errors.js';

/** Formats rows as aligned columns; those in `right` are right-aligned, the others left-aligned. */
export function columns(
  rows: readonly (readonly string[])[],
  { right = [] }: { readonly right?: readonly number[] } = {},
): string[] {
  const shown = rows.map((row) => row.map(printable));
  const widths = (shown[0] ?? []).map((_, column) =>
    Math.max(...shown.map((row) => (row[column] ?? '').length)),
  );
  return shown.map((row) =>
    row
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

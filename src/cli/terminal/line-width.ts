/** A stream whose lines people read. */
type Lines = { readonly isTTY?: boolean; readonly columns?: number };

const standard = 80;
/** Longer lines of prose are hard to read. */
const widestProse = 100;

/** The columns of a line: those of the terminal; 80 where there is none, or it does not say. */
export function lineWidth({ isTTY = false, columns = 0 }: Lines = process.stdout): number {
  return isTTY && columns > 0 ? columns : standard;
}

/** As `lineWidth`, at most 100. */
export function proseWidth(stream?: Lines): number {
  return Math.min(widestProse, lineWidth(stream));
}

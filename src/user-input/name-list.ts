import { printable } from '../errors.js';

/** How much of a list is shown. */
interface Shown {
  /** Number of names. */
  readonly most: number;
  /** Characters of each; longer names are truncated. @default 80 */
  readonly length?: number;
}

/** `a, b, c and 4 more`: the first names, printable and truncated, and the number of others. */
export function nameList(names: readonly string[], shown: number | Shown = 5): string {
  const { most, length = 80 } = typeof shown === 'number' ? { most: shown } : shown;
  const texts = names.slice(0, most).map((name) => {
    const text = printable(name);
    return text.length > length ? `${text.slice(0, length - 3)}...` : text;
  });
  const more = names.length - texts.length;
  return more > 0 ? `${texts.join(', ')} and ${more} more` : texts.join(', ');
}

import { printable } from '../errors.js';

/** `a, b, c and 4 more`: the first names, printable and truncated, and the number of others. */
export function nameList(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).map((name) => {
    const text = printable(name);
    return text.length > 80 ? `${text.slice(0, 77)}...` : text;
  });
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

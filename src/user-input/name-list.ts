/**
 * `a, b, c and 4 more`: the first names and the number of others. Names from untrusted files are truncated and escaped.
 */
export function nameList(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).map((name) => {
    const printable = name.replaceAll(/\p{Cc}/gu, '?');
    return printable.length > 80 ? `${printable.slice(0, 77)}...` : printable;
  });
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** `a, b, c and 4 more`: the first names, and how many more. Files of strangers may hold anything, so names are cut. */
export function nameList(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).map((name) => {
    const printable = name.replaceAll(/\p{Cc}/gu, '?');
    return printable.length > 80 ? `${printable.slice(0, 77)}...` : printable;
  });
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** The first few names, and how many more: for sentences about files of strangers, which may hold anything. */
export function nameList(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => {
    const printable = name.replaceAll(/\p{Cc}/gu, '?');
    return printable.length > 80 ? `${printable.slice(0, 77)}...` : printable;
  });
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

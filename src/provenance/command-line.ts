/** The command line of this process, or of other words behind `satin`, as a shell takes it: `./satin report runs/a`. */
export function commandLine(words: readonly string[] = process.argv.slice(2)): string {
  return ['./satin', ...words.map(quoted)].join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The command line of this process, as a shell takes it: `./satin report runs/a`. */
export function commandLine(): string {
  return ['./satin', ...process.argv.slice(2).map(quoted)].join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

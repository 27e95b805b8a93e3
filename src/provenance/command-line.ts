/** The command line of this process, or of the given arguments, quoted for a shell: `./satin report runs/a`. */
export function commandLine(args: readonly string[] = process.argv.slice(2)): string {
  return ['./satin', ...args.map(quoted)].join(' ');
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}

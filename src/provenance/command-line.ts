/**
 * How this program was called, as far as its launcher says it: `./satin`, or `satin` where it was found on the PATH.
 *
 * @default './satin'
 */
export function programName(): string {
  return process.env.SATIN_COMMAND ?? './satin';
}

/** The command line of this process, or of the given arguments, quoted for a shell: `./satin report runs/a`. */
export function commandLine(args: readonly string[] = process.argv.slice(2)): string {
  return [programName(), ...args].map(quoted).join(' ');
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}

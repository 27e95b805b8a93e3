import type { CommandUnknownOpts } from '@commander-js/extra-typings';

/**
 * A command of `satin`, as the table in `commands.ts` knows it: enough for `satin --help`, and where to load
 * the rest from, so that no command pays for another's modules.
 */
export interface CommandEntry {
  /** One line of `satin --help`: what it does, beginning with a verb in lower case. */
  readonly summary: string;
  /** A whole command line that works: `./satin train fashion-mnist-silu`. */
  readonly example: string;
  /** The arguments, options and action. An action that throws a SatinError ends the program with its code. */
  readonly load: () => Promise<CommandUnknownOpts>;
}

export type CommandTable = Readonly<Record<string, CommandEntry>>;

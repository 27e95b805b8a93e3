import type { CommandUnknownOpts } from '@commander-js/extra-typings';

/**
 * A command of `satin` in the table in `commands.ts`: the text for `satin --help`, and a loader for the rest, so that a
 * command does not load the modules of others.
 */
export interface CommandEntry {
  /** Summary in `satin --help`, beginning with a verb in lower case. */
  readonly summary: string;
  /** A complete command line: `./satin train fashion-mnist-silu`. */
  readonly example: string;
  /** Loads arguments, options and action. A SatinError thrown by the action ends the program with its exit code. */
  readonly load: () => Promise<CommandUnknownOpts>;
}

export type CommandTable = Readonly<Record<string, CommandEntry>>;

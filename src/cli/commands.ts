import type { CommandTable } from './command.js';

/** Every command that exists, in the order of `satin --help`. */
export const commands: CommandTable = {};

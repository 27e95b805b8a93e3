import type { CommandUnknownOpts } from '@commander-js/extra-typings';

/**
 * Errors of the library name an option as the library does, in backticks: `newHead`. The command line shows the flag that
 * a person typed, or can type: --new-head.
 */

/** Where the flag is not the library's name in kebab case. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  dir: ['--data-dir'],
  folder: ['--save-adversarial'],
  surrogates: ['--surrogate'],
  preprocessing: ['--input-range', '--mean', '--std'],
  external: ['--architecture', '--activation', '--classes', '--shape', '--width'],
};

/** `message` with the flags of `command` in place of the library's names; a name without a flag there stays. */
export function withFlags(message: string, command: CommandUnknownOpts | undefined): string {
  const own = new Map(command?.options.map((option) => [option.attributeName(), option.long]) ?? []);
  const known = new Set(own.values());
  return message.replaceAll(/`([a-z][A-Za-z]*)`/g, (text, name: string) => {
    const flag = own.get(name);
    if (flag !== undefined && flag !== null) return flag;
    const flags = (otherNames[name] ?? []).filter((each) => known.has(each));
    const last = flags.at(-1);
    if (last === undefined) return text;
    return flags.length === 1 ? last : `${flags.slice(0, -1).join(', ')} and ${last}`;
  });
}

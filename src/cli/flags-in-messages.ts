import type { CommandUnknownOpts } from '@commander-js/extra-typings';

/**
 * Errors of the library name an option in backticks, as in the API: `newHead`. The command line replaces it by its
 * flag: --new-head.
 */

/** Options whose flag is not the name in kebab case. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  dir: ['--data-dir'],
  folder: ['--save-adversarial'],
  surrogates: ['--surrogate'],
  preprocessing: ['--input-range', '--mean', '--std'],
  external: ['--architecture', '--activation', '--classes', '--shape', '--width'],
};

/** Replaces option names in `message` by flags of `command`; names without a flag are kept. */
export function withFlags(message: string, command: CommandUnknownOpts | undefined): string {
  const flagOf = new Map(command?.options.map((option) => [option.attributeName(), option.long]) ?? []);
  const known = new Set(flagOf.values());
  return message.replaceAll(/`([a-z][A-Za-z]*)`/g, (text, name: string) => {
    const flag = flagOf.get(name);
    if (flag !== undefined && flag !== null) return flag;
    const flags = (otherNames[name] ?? []).filter((each) => known.has(each));
    const last = flags.at(-1);
    if (last === undefined) return text;
    return flags.length === 1 ? last : `${flags.slice(0, -1).join(', ')} and ${last}`;
  });
}

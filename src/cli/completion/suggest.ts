import type { CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import type { CommandTable } from '../command-table.js';
import { type Suggestion, suggestionsOf } from './suggestion.js';
import { valuesOfArgument, valuesOfOption } from './values.js';

/**
 * What the last of the words after `satin`, which is being typed, may become: a command, an option, or a value of the option or
 * argument whose turn it is. Nothing where a file, a number or a text is expected. Only the module of the command is loaded.
 */
export async function suggest(words: readonly string[], commands: CommandTable): Promise<Suggestion[]> {
  const typed = words.at(-1) ?? '';
  const found = await candidates(words.slice(0, -1), typed, commands);
  return found.filter(({ value }) => value.startsWith(typed) && value !== typed);
}

async function candidates(
  before: readonly string[],
  typed: string,
  commands: CommandTable,
): Promise<readonly Suggestion[]> {
  const [name, ...rest] = before.filter((word, at) => at > 0 || !/^(help|--help)$/.test(word));
  if (name === undefined) {
    const table = Object.entries(commands).map(([value, { summary }]) => ({ value, about: summary }));
    return typed.startsWith('-')
      ? suggestionsOf(before.length > 0 ? [] : ['--help', '--version'])
      : [...table, ...(before.length > 0 ? [] : [{ value: 'help', about: "print a command's help" }])];
  }
  if (!Object.hasOwn(commands, name)) return [];
  return ofCommand(await commands[name]!.load(), rest, typed);
}

async function ofCommand(
  command: CommandUnknownOpts,
  before: readonly string[],
  typed: string,
): Promise<readonly Suggestion[]> {
  const { operands, waiting, isClosed } = read(command, before);
  if (waiting !== undefined) return valuesOf(waiting, typed);
  if (!isClosed && typed.startsWith('-')) {
    const [flag, ...value] = typed.split('=');
    const option = command.options.find(({ long }) => long === flag);
    if (value.length === 0 || option === undefined) return flagsOf(command);
    const values = await valuesOf(option, value.join('='));
    return values.map((each) => ({ ...each, value: `${flag}=${each.value}` }));
  }
  const { registeredArguments: all } = command;
  const last = all.at(-1);
  const argument = all[operands] ?? (last?.variadic === true ? last : undefined);
  if (argument === undefined) return [];
  return argument.argChoices === undefined
    ? valuesOfArgument(argument.name())
    : suggestionsOf(argument.argChoices);
}

interface Read {
  /** Number of arguments that are complete. */
  readonly operands: number;
  /** The option whose value is next. */
  readonly waiting: Option | undefined;
  /** Whether `--` has ended the options. */
  readonly isClosed: boolean;
}

/** How far a command line has come. */
function read(command: CommandUnknownOpts, words: readonly string[]): Read {
  let operands = 0;
  let waiting: Option | undefined;
  let isClosed = false;
  for (const word of words)
    if (waiting !== undefined) waiting = undefined;
    else if (!isClosed && word === '--') isClosed = true;
    else if (isClosed || !word.startsWith('-')) operands += 1;
    else waiting = command.options.find((option) => option.long === word && takesValue(option));
  return { operands, waiting, isClosed };
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function valuesOf({ long, argChoices }: Option, typed: string): Promise<readonly Suggestion[]> {
  return argChoices === undefined
    ? valuesOfOption(long ?? '', typed)
    : Promise.resolve(suggestionsOf(argChoices));
}

function flagsOf(command: CommandUnknownOpts): Suggestion[] {
  const visible = command.options.filter(({ hidden, long }) => !hidden && long !== undefined);
  return [
    ...visible.map(({ long, description }) => ({ value: long!, about: description })),
    { value: '--help', about: 'print this help' },
  ];
}

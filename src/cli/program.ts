import { Command, CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings';
import picocolors from 'picocolors';
import { writeErrorFile } from '../distributed/error-file.js';
import { InputError, InterruptedError, printable, SatinError } from '../errors.js';
import { explainSystemError } from '../files/system-error.js';
import { programName } from '../provenance/command-line.js';
import { version } from '../provenance/version.js';
import { nearest } from '../user-input/did-you-mean.js';
import type { CommandTable } from './command-table.js';
import { withFlags } from './flags-in-messages.js';
import { withSettingHint } from './setting-hint.js';
import { printFailure } from './terminal/print.js';

/**
 * Runs one command line, without `node` and `satin`, and returns the exit code: 0 for success, 1 for a failure, 2 for
 * invalid usage or input, 130 for an interruption. Errors are printed to standard error; nothing is thrown.
 */
export async function runProgram(args: readonly string[], commands: CommandTable): Promise<number> {
  let program: CommandUnknownOpts | undefined;
  try {
    program = await makeProgram(args, commands);
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    const [name] = program?.args ?? [];
    const command = program?.commands.find((command) => command.name() === name);
    return reportError(await withSettingHint(error, { args, command }), command);
  }
}

/**
 * Prints an error according to its class, with the flags of the command, and returns the exit code. Under torchrun, the
 * error is also written to torchrun's error file.
 */
export function reportError(thrown: unknown, command?: CommandUnknownOpts): number {
  const error = explainSystemError(thrown);
  if (error instanceof CommanderError) {
    // Requested help exits with 0; help for a missing command goes to standard error and is invalid usage.
    if (error.code.startsWith('commander.help') || error.code === 'commander.version')
      return error.exitCode === 0 ? 0 : 2;
    printFailure(printable(sentenceOf(error.message)));
    return 2;
  }
  if (!(error instanceof InterruptedError)) writeErrorFile(error, process.env);
  if (error instanceof SatinError) {
    printFailure(withFlags(error.message, command));
    return error.exitCode;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = error instanceof Error ? error.message : String(error);
  printFailure(`${message}\nThis is a bug in Satin; please report it with the following details.\n${detail}`);
  return 1;
}

async function makeProgram(args: readonly string[], commands: CommandTable): Promise<CommandUnknownOpts> {
  // Only the requested command is loaded; the others are listed from their table entries.
  const wanted = args.find((arg) => !arg.startsWith('-') && arg !== 'help');
  if (wanted !== undefined && !Object.hasOwn(commands, wanted)) throw unknownCommand(wanted, commands);
  const program: CommandUnknownOpts = new Command('satin')
    .usage('COMMAND [OPTIONS]')
    .description(
      'Train image classifiers that withstand adversarial examples, and measure how robust they are.',
    )
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand('help [command]', "print a command's help")
    // Commander takes the colours out where the terminal has none.
    .configureHelp({ styleTitle: bold })
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  for (const [name, { summary, example, load }] of Object.entries(commands)) {
    const command = name === wanted ? await load() : new Command();
    command.name(name).summary(summary).copyInheritedSettings(program);
    if (command.description() === '')
      command.description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`);
    command.addHelpText('after', `\n${bold('Example:')}\n  ${asTyped(example)}`);
    program.addCommand(command);
  }
  const examples = Object.values(commands).map(({ example }) => `  ${asTyped(example)}`);
  return program.addHelpText(
    'after',
    `\n${bold('Examples:')}\n${examples.join('\n')}\n\nRun ${programName()} COMMAND --help for details.`,
  );
}

const { bold } = picocolors.createColors(true);

/** An example as it would be typed to the program that was called. */
function asTyped(example: string): string {
  return example.replace(/^\.\/satin\b/, () => programName());
}

function unknownCommand(name: string, commands: CommandTable): InputError {
  const meant = nearest(name, Object.keys(commands));
  const remedy = meant === undefined ? 'satin --help lists the commands.' : `Did you mean '${meant}'?`;
  return new InputError('unknown-command', `Unknown command '${name}'. ${remedy}`);
}

/**
 * Converts commander's message to Satin's style: `Unknown option '--sed'. Did you mean --seed?`; `Option '--norm <norm>'
 * argument 'l3' is invalid. Did you mean 'l2'? Allowed choices are linf, l2, l1.`
 */
function sentenceOf(message: string): string {
  const [problem = '', ...hints] = withNearest(message)
    .replace(/^error: /, '')
    .split('\n');
  const sentence = `${problem.charAt(0).toUpperCase()}${problem.slice(1).replace(/[.:]?$/, '.')}`;
  return [sentence, ...hints.map((hint) => hint.replace(/^\((.*)\)$/, '$1'))].join(' ');
}

function withNearest(message: string): string {
  const [, received, choices] = /'([^']*)' is invalid.*\. Allowed choices are (.*)\.$/s.exec(message) ?? [];
  const meant = received === undefined ? undefined : nearest(received, (choices ?? '').split(', '));
  return meant === undefined
    ? message
    : message.replace(' Allowed choices', ` Did you mean '${meant}'? Allowed choices`);
}

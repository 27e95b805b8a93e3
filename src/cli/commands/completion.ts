import { join } from 'node:path';
import { Argument, Command } from '@commander-js/extra-typings';
import { programName } from '../../provenance/command-line.js';
import { packageFolder } from '../../provenance/package-folder.js';
import type { CommandTable } from '../command-table.js';
import { shellNames, shells } from '../completion/shells.js';
import { splitLine } from '../completion/split-line.js';
import { suggest } from '../completion/suggest.js';
import type { Suggestion } from '../completion/suggestion.js';
import { print } from '../terminal/print.js';

/** `satin completion SHELL`, of these commands. */
export function completionCommand(commands: CommandTable) {
  // In another folder a relative path leads nowhere.
  const satin = programName() === 'satin' ? 'satin' : join(packageFolder, 'satin');
  const uses = shellNames.map((name) => `  ${shells[name].use(satin)}`).join('\n');
  return new Command('completion')
    .description(
      'Prints a script by which the tab key completes commands, options, recipes, the keys of --set and other values.',
    )
    .addArgument(new Argument('<shell>', 'which shell').choices(shellNames))
    .argument('[words...]', 'what the script asks: the words, of bash the line, up to the cursor')
    .addHelpText('after', `\nOnce, for every new shell:\n${uses}`)
    .action(async (shell, words) => {
      const { script, line } = shells[shell];
      if (words.length === 0) return print(script);
      const typed = shell === 'bash' ? splitLine(words.join(' ')).slice(1) : words;
      const found = await suggest(typed, commands);
      print(found.map((each) => `${line(shortened(each))}\n`).join(''));
    });
}

/** With the first sentence of what it is: a line of a menu is short. */
function shortened({ value, about }: Suggestion): Suggestion {
  if (about === undefined) return { value };
  const [sentence = ''] = about.split(/[.:;](?=\s|$)|\n/, 1);
  return { value, about: sentence.length > 80 ? `${sentence.slice(0, 77)}...` : sentence };
}

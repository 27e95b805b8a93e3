import { Argument, Command } from '@commander-js/extra-typings';
import { facts } from '../terminal/facts.js';
import { proseWidth } from '../terminal/line-width.js';
import { print } from '../terminal/print.js';

/** What can be listed, with the lines of each; loaded when it is asked for. */
const kinds = {
  recipes: async () => {
    const { describedRecipes } = await import('../../recipe/load-recipe.js');
    // One line each where another program reads them.
    const width = process.stdout.isTTY ? proseWidth() : Number.MAX_SAFE_INTEGER;
    return facts(
      describedRecipes().map(({ name, about }) => [name, about]),
      width,
    );
  },
  models: async () => [...(await import('../../models/architectures/names.js')).modelNames],
  activations: async () => (await import('../../activations/describe.js')).activationLines(),
  attacks: async () => {
    const { attackForms } = await import('../../attacks/attack.js');
    const { attackNamesOf, autoAttackSets } = await import('../../attacks/autoattack.js');
    return [
      ...attackForms.split(/, (?=apgd-ce, |malt |these |those |the same )/),
      ...autoAttackSets.map((set) => `--autoattack ${set}: ${attackNamesOf(set, 'linf').join(', ')}`),
      `--autoattack standard in L1: ${attackNamesOf('standard', 'l1').join(', ')}`,
    ];
  },
  data: async () => [...(await import('../../data/dataset-names.js')).dataNames],
} as const;

const names = ['recipes', 'models', 'activations', 'attacks', 'data'] as const;

/** `satin list KIND` */
export function listCommand() {
  return new Command('list')
    .description('Lists what recipes and commands can name.')
    .addArgument(new Argument('<kind>', 'what to list').choices(names))
    .action(async (kind) => print(`${(await kinds[kind]()).join('\n')}\n`));
}

import { settingSuggestions } from './settings.js';
import { type Suggestion, suggestionsOf } from './suggestion.js';

/** What the values of an option or argument are, where it does not say it itself; loaded when it is asked for. */
const kinds = {
  recipe: async () => {
    const { describedRecipes } = await import('../../recipe/load-recipe.js');
    return describedRecipes().map(({ name, about }) => ({ value: name, about }));
  },
  network: async () => suggestionsOf((await import('../../models/architectures/names.js')).modelNames),
  activation: async () => suggestionsOf((await import('../../activations/parse.js')).activationNames),
  attack: async () => {
    const { attackNamesOf, autoAttackSets } = await import('../../attacks/autoattack.js');
    const names = [
      ...autoAttackSets.flatMap((set) => attackNamesOf(set, 'linf')),
      ...attackNamesOf('standard', 'l1'),
    ];
    const others = ['apgd-dlr', 'fab', 'malt', 'pgd-200-step0.25-cycles'];
    return suggestionsOf([...new Set(['fgsm', 'pgd-10', 'pgd-50', ...names, ...others])]);
  },
  data: async () => suggestionsOf((await import('../../data/dataset-names.js')).dataNames),
  device: async () => suggestionsOf(['cpu', 'cuda']),
  knownModel: async () => suggestionsOf((await import('../../models/known-models.js')).knownNames),
  releasedModel: async () => suggestionsOf((await import('../../models/released-models.js')).releasedNames),
  setting: async (typed: string) => settingSuggestions(typed),
} as const satisfies Readonly<Record<string, (typed: string) => Promise<readonly Suggestion[]>>>;

type Kind = keyof typeof kinds;

const kindOfOption: Readonly<Record<string, Kind>> = {
  '--set': 'setting',
  '--architecture': 'network',
  '--activation': 'activation',
  '--surrogate': 'activation',
  '--attack': 'attack',
  '--data': 'data',
  '--device': 'device',
  '--known': 'knownModel',
  '--released': 'releasedModel',
};

const kindOfArgument: Readonly<Record<string, Kind>> = { recipe: 'recipe' };

/** The values of an option, such as `--attack`; none where they are files, numbers or texts. */
export async function valuesOfOption(flag: string, typed: string): Promise<readonly Suggestion[]> {
  const kind = Object.hasOwn(kindOfOption, flag) ? kindOfOption[flag] : undefined;
  return kind === undefined ? [] : kinds[kind](typed);
}

/** The values of an argument, such as `recipe`. */
export async function valuesOfArgument(name: string): Promise<readonly Suggestion[]> {
  const kind = Object.hasOwn(kindOfArgument, name) ? kindOfArgument[name] : undefined;
  return kind === undefined ? [] : kinds[kind]('');
}

import { CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings';

/** What people call settings of recipes that have other names. */
const otherNames: Readonly<Record<string, string>> = {
  lr: 'training.schedule.learningRate',
  learningRate: 'training.schedule.learningRate',
  warmup: 'training.schedule.warmup',
  batchSize: 'training.batch',
  batch: 'training.batch',
  seed: 'training.seed',
  epsilon: 'threat.epsilon',
  eps: 'threat.epsilon',
  steps: 'training.attack.steps',
  model: 'model.name',
  arch: 'model.name',
  architecture: 'model.name',
  network: 'model.name',
  data: 'data.name',
  dataset: 'data.name',
  dataDir: 'data.dir',
  optimizer: 'training.optimizer.name',
  schedule: 'training.schedule.name',
  scheduler: 'training.schedule.name',
  loss: 'training.objective',
  examples: 'data.examples',
};

/** An unknown option that is a setting of recipes, with how it is set; other errors as they are. */
export async function withSettingHint(
  error: unknown,
  { args, command }: { readonly args: readonly string[]; readonly command: CommandUnknownOpts | undefined },
): Promise<unknown> {
  const takesSettings = command?.options.some(({ long }) => long === '--set') === true;
  if (!takesSettings || !(error instanceof CommanderError) || error.code !== 'commander.unknownOption')
    return error;
  const [, flag] = /'(--[^'=]+)(?:=[^']*)?'/.exec(error.message) ?? [];
  const path = flag === undefined ? undefined : await settingOf(flag);
  if (flag === undefined || path === undefined) return error;
  const value = typedValue(args, flag) ?? 'VALUE';
  return new CommanderError(
    error.exitCode,
    error.code,
    `error: unknown option '${flag}'. Use --set ${path}=${value} in its place`,
  );
}

async function settingOf(flag: string): Promise<string | undefined> {
  const name = flag.slice(2).replaceAll(/[-_.](\w)/g, (_, letter: string) => letter.toUpperCase());
  const known = Object.hasOwn(otherNames, name) ? otherNames[name] : undefined;
  if (known !== undefined) return known;
  const { settingPaths } = await import('../recipe/setting-paths.js');
  const paths = settingPaths();
  const exact = paths.find((path) => path === flag.slice(2));
  return exact ?? paths.find((path) => path.split('.').at(-1) === name);
}

/** The value that was typed after an option, or in it. */
function typedValue(args: readonly string[], flag: string): string | undefined {
  const inside = args.find((arg) => arg.startsWith(`${flag}=`));
  if (inside !== undefined) return inside.slice(flag.length + 1);
  const next = args[args.indexOf(flag) + 1];
  return next === undefined || next.startsWith('--') ? undefined : next;
}

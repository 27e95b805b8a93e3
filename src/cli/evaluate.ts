import { writeFileSync } from 'node:fs';
import { Command, Option } from '@commander-js/extra-typings';
import { parseDerivative } from '../activations/parse.js';
import { attackForms, parseAttack, requireNorm } from '../attacks/attack.js';
import { parseDataName } from '../data/names.js';
import { parseEpsilon } from '../epsilon.js';
import { InputError } from '../errors.js';
import type { EvaluationResult } from '../evaluation/result.js';
import { inputRanges, parseInputForm } from '../models/input-form.js';
import { modelKind, requireInputTakes } from '../models/model-file.js';
import { parseRecipe } from '../recipe.js';
import { readCheckpoint } from '../runs/checkpoint.js';
import { isRunFolder, readStoredRecipe } from '../runs/run-folder.js';
import { percentage } from './format.js';
import { listenForInterrupt } from './interrupt.js';
import { several, wholeNumber } from './options.js';
import { requireFilePath } from './output-file.js';
import { createDisplay } from './terminal.js';

/** `satin evaluate MODEL` */
export function evaluateCommand() {
  return new Command('evaluate')
    .argument('<model>', 'a run folder, a checkpoint, a weights file or a TorchScript file of PyTorch')
    .option(
      '--data <name[:split]>',
      'data set and split (default: the test split of what the run was trained on)',
    )
    .option('--data-dir <folder>', 'where the files of the data set lie')
    .option('--attack <name>', `${attackForms}; may be given several times (default: pgd-50)`, several)
    .option(
      '--surrogate <activation>',
      'try every attack once more through the derivative of softplus(10), say; may be given several times',
      several,
    )
    .addOption(
      new Option('--norm <norm>', "the threat model's norm (default: the run's)").choices(['linf', 'l2']),
    )
    .option('--epsilon <radius>', "the threat model's radius, such as 8/255 (default: the run's)")
    .addOption(
      new Option(
        '--input-range <black,white>',
        'what a TorchScript model takes for black and white (default: 0,1)',
      ).choices(inputRanges),
    )
    .option('--mean <list>', 'mean of each channel in that range, which a TorchScript model wants subtracted')
    .option('--std <list>', 'deviation of each channel in that range, which it wants to be divided by')
    .option('--examples <count>', 'how many images are attacked', wholeNumber('--examples', 1), 1000)
    .option('--batch <count>', 'images a batch; changes the speed only', wholeNumber('--batch', 1), 250)
    .option('--seed <number>', "seed of the attacks' random starts", wholeNumber('--seed', 0), 0)
    .option('--threads <count>', 'threads of the engine', wholeNumber('--threads', 1))
    .addOption(
      new Option('--checks <set>', 'quick checks of the model, or all of docs/checks.md')
        .choices(['quick', 'full'])
        .default('quick' as const),
    )
    .option('--json <file>', 'write the result to a file, or to standard output for -')
    .option('--save-adversarial <folder>', 'keep the adversarial images there, as float32')
    .action(async (modelPath, options) => {
      const kind = modelKind(modelPath); // refuses what is no model before anything else
      if (kind === 'satin') readCheckpoint({ path: modelPath });
      const input = parseInputForm(options);
      requireInputTakes(kind, { path: modelPath, input });
      const recipe = isRunFolder(modelPath)
        ? parseRecipe(readStoredRecipe(modelPath), `the run ${modelPath}`)
        : null;
      const attacks = options.attack ?? ['pgd-50'];
      const parsed = attacks.map(parseAttack);
      const surrogates = (options.surrogate ?? []).map(parseDerivative);
      if (options.json !== undefined && options.json !== '-') requireFilePath(options.json, '--json');
      const norm = options.norm ?? recipe?.threat.norm ?? missing('--norm', 'linf or l2');
      for (const attack of parsed) requireNorm(attack, norm);
      const epsilon =
        options.epsilon === undefined && recipe !== null && recipe.threat.norm === norm
          ? { epsilon: recipe.threat.epsilon, epsilonText: recipe.threat.epsilonText }
          : parseEpsilon(
              options.epsilon ?? missing('--epsilon', 'a radius such as 8/255'),
              norm,
              '--epsilon',
            );
      const stated =
        options.data ?? (recipe === null ? missing('--data', 'a data set such as fashion-mnist:test') : null);
      const source = stated === null ? null : parseDataName(stated);
      const { evaluationRun, loadExamples, requireEmptyFolder, saveAdversarial } = await import(
        '../evaluation-run.js'
      );
      if (options.saveAdversarial !== undefined)
        requireEmptyFolder(options.saveAdversarial, '--save-adversarial');

      if (options.threads !== undefined) (await import('../tensor/engine.js')).setThreads(options.threads);
      const display = createDisplay();
      const signal = listenForInterrupt(display.note);
      try {
        const { openModel } = await import('../measured-model.js');
        using model = openModel(modelPath, { input });
        const same =
          recipe !== null && (source === null || source.name === recipe.data.name) ? recipe.data : null;
        const data = await loadExamples(model, {
          name: source?.name ?? recipe!.data.name,
          split: source?.split ?? 'test',
          dir: options.dataDir ?? same?.dir ?? undefined,
          resize: same?.name === 'folder' ? same.resize : undefined,
          validation: same?.validation,
          validationSeed: same?.validationSeed,
          count: options.examples,
          seed: options.seed,
          onProgress: ({ stage, what, done, total }) => {
            if (total !== undefined) display.progress({ label: `${stage} ${what}`, done, total });
          },
        });
        const run = await evaluationRun({
          model,
          data,
          attacks,
          surrogates,
          norm,
          epsilon,
          seed: options.seed,
          batch: options.batch,
          checks: options.checks,
          interrupted: () => signal.aborted,
          onProgress: ({ stage, done, total, standing }) =>
            display.progress({ label: stage, done, total, robust: standing }),
        });
        display.close();
        if (options.saveAdversarial !== undefined) saveAdversarial(options.saveAdversarial, data, run);
        if (options.json !== undefined && options.json !== '-')
          writeFileSync(options.json, `${JSON.stringify(run.result)}\n`);
        process.stdout.write(options.json === '-' ? `${JSON.stringify(run.result)}\n` : table(run.result));
      } finally {
        display.close();
      }
    });
}

function missing(option: string, expected: string): never {
  throw InputError.expected(
    expected,
    option,
    undefined,
    'A run folder brings its own; a lone checkpoint and a TorchScript file do not.',
  );
}

/** What a person reads at the end. */
function table(result: EvaluationResult): string {
  const { norm, epsilonText, examples, interval } = result;
  const longest = Math.max(10, ...result.attacks.map(({ name }) => name.length));
  const lines = [
    `${examples} images of ${result.data}, ${norm === 'linf' ? 'L∞' : 'L2'}, ε = ${epsilonText}`,
    `clean accuracy   ${percentage(result.clean)}`,
    ...result.attacks.map(
      ({ name, attacked, broken, robustAfter }) =>
        `after ${name.padEnd(longest)} ${percentage(robustAfter)}   broke ${broken} of ${attacked}`,
    ),
    `robust accuracy  ${percentage(result.robust)}   95 % interval ${percentage(interval[0])} to ${percentage(interval[1])}`,
    ...result.flags.map(({ message }) => message),
  ];
  return `${lines.join('\n')}\n`;
}

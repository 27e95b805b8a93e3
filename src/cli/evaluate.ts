import { writeFileSync } from 'node:fs';
import { Command, Option } from '@commander-js/extra-typings';
import { parseDerivative } from '../activations/parse.js';
import { attackForms, parseAttack, requireNorm } from '../attacks/attack.js';
import { attackNamesOf, autoAttackSets } from '../attacks/autoattack.js';
import { parseDataName } from '../data/names.js';
import { parseEpsilon } from '../epsilon.js';
import { InputError } from '../errors.js';
import { inputRanges, parseInputForm } from '../models/input-form.js';
import { modelKind, requireInputTakes } from '../models/model-file.js';
import { parseRecipe } from '../recipe.js';
import { readCheckpoint } from '../runs/checkpoint.js';
import { isRunFolder, readStoredRecipe } from '../runs/run-folder.js';
import { evaluationTable } from './evaluation-table.js';
import { listenForInterrupt } from './interrupt.js';
import { several, wholeNumber } from './options.js';
import { requireFilePath, requireNewFile } from './output-file.js';
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
    .addOption(
      new Option(
        '--autoattack <set>',
        "AutoAttack's attacks with its settings, in place of --attack",
      ).choices(autoAttackSets),
    )
    .option('--alone', 'run each attack on all images too, and tell what it breaks by itself')
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
    .option('--report <file>', 'write a page about the result, with accuracy against ε by apgd-ce')
    .option(
      '--curve-examples <count>',
      'images that accuracy against ε is measured on, for the report; 0 for none',
      wholeNumber('--curve-examples', 0),
      200,
    )
    .option('--save-adversarial <folder>', 'keep the adversarial images there, as float32')
    .action(async (modelPath, options) => {
      const kind = modelKind(modelPath); // refuses what is no model before anything else
      if (kind === 'satin') readCheckpoint({ path: modelPath });
      const input = parseInputForm(options);
      requireInputTakes(kind, { path: modelPath, input });
      const recipe = isRunFolder(modelPath)
        ? parseRecipe(readStoredRecipe(modelPath), `the run ${modelPath}`)
        : null;
      const attacks = attacksOf(options);
      const parsed = attacks.map(parseAttack);
      const surrogates = (options.surrogate ?? []).map(parseDerivative);
      if (options.json !== undefined && options.json !== '-') requireFilePath(options.json, '--json');
      if (options.report !== undefined) requireNewFile(options.report, '--report');
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
          alone: options.alone === true,
          checks: options.checks,
          onChecks: (done, total) => display.progress({ label: 'checks', done, total }),
          interrupted: () => signal.aborted,
          onProgress: ({ stage, done, total, standing, secondsLeft }) =>
            display.progress({
              label: stage,
              done,
              total,
              robust: standing,
              ...(secondsLeft !== undefined && { secondsLeft }),
            }),
        });
        if (options.saveAdversarial !== undefined) saveAdversarial(options.saveAdversarial, data, run);
        if (options.json !== undefined && options.json !== '-')
          writeFileSync(options.json, `${JSON.stringify(run.result)}\n`);
        display.close();
        process.stdout.write(
          options.json === '-' ? `${JSON.stringify(run.result)}\n` : evaluationTable(run.result),
        );
        if (options.report !== undefined) {
          const { evaluationReport } = await import('../evaluation-report.js');
          const page = await evaluationReport({
            model,
            data,
            measured: run,
            curveExamples: options.curveExamples,
            batch: run.result.batch.size,
            interrupted: () => signal.aborted,
            onProgress: ({ stage, done, total, standing }) =>
              display.progress({ label: stage, done, total, robust: standing }),
          });
          writeFileSync(options.report, page, { flag: 'wx' });
          display.note(`The report is ${options.report}. Open it in a browser.`);
        }
      } finally {
        display.close();
      }
    });
}

/** The names of the attacks that shall be run. @throws {InputError} where both ways of naming them are used. */
function attacksOf(options: {
  readonly attack?: readonly string[];
  readonly autoattack?: string;
}): readonly string[] {
  const { attack, autoattack } = options;
  if (autoattack === undefined) return attack ?? ['pgd-50'];
  if (attack !== undefined)
    throw InputError.expected(
      'no --attack',
      `--autoattack ${autoattack}`,
      attack.join(', '),
      'A set is run as it is; name all attacks by --attack to run others.',
    );
  return attackNamesOf(autoattack);
}

function missing(option: string, expected: string): never {
  throw InputError.expected(
    expected,
    option,
    undefined,
    'A run folder brings its own; a lone checkpoint and a TorchScript file do not.',
  );
}

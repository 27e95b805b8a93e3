import { Command } from '@commander-js/extra-typings';
import { activationLines } from '../../activations/describe.js';
import { readInitialWeights } from '../../app/model/initial-weights.js';
import { isBegun } from '../../app/train/sweep.js';
import { isRestart, jobId, readLauncherEnvironment } from '../../distributed/launcher-environment.js';
import type { ProcessGroup } from '../../distributed/process-group.js';
import { InputError } from '../../errors.js';
import { commandLine } from '../../provenance/command-line.js';
import { recipeNames } from '../../recipe/load-recipe.js';
import type { Recipe } from '../../recipe/recipe.js';
import { readEvents } from '../../runs/event-log.js';
import { isRunFolder, readManifest, requireUnused } from '../../runs/run-folder.js';
import { deviceOption } from '../device-option.js';
import { listenForInterrupt } from '../interrupt.js';
import { several, wholeNumber } from '../option-parsers.js';
import { withResumeOfRun } from '../resume-command.js';
import { print, printError } from '../terminal/print.js';
import { createDisplay } from '../terminal/terminal.js';
import { chosenRecipe, recipeOfRun, requireBegun, sweepOf } from '../train-choice.js';
import { drySweep, runSweep } from '../train-sweep.js';

/** `satin train RECIPE` */
export function trainCommand() {
  return new Command('train')
    .argument(
      '<recipe>',
      `a YAML file, with --resume the folder of a run, or one of ${recipeNames().join(', ')}`,
    )
    .option(
      '--set <path=value>',
      'change one value of the recipe; repeatable. Several values, as in training.batch=64,128, make a sweep: a run each',
      several,
    )
    .option(
      '--smoke',
      "apply the recipe's smoke section, or take four steps: a test that takes seconds",
      false,
    )
    .option('--dry-run', 'print the complete recipe and what would happen, and do nothing', false)
    .option(
      '--out <folder>',
      'the run folder (default: runs/NAME-SEED), or the folder of the runs of a sweep',
    )
    .option('--resume', 'resume the run in the run folder, or a sweep', false)
    .option('--resume-or-start', 'resume the run in the run folder, or start it if there is none', false)
    .option('--init <model>', 'initialise from a run, checkpoint, weights file or PyTorch state dict')
    .option('--new-head', 'with --init: reinitialise the last layer, for other classes', false)
    .option('--entry <name>', 'with --init: which of several state dicts in a PyTorch checkpoint')
    .option('--tensorboard', 'also write event files for TensorBoard, into RUN/tensorboard', false)
    .option('--trackio', 'also write a store for trackio, into RUN/trackio', false)
    .addOption(deviceOption("the recipe's, else a graphics card if there is one"))
    .option('--threads <count>', 'number of CPU threads', wholeNumber('--threads', 1))
    .addHelpText('after', activationHelp)
    .action(async (recipeName, options) => {
      const { device, threads } = options;
      const set = [
        ...(options.set ?? []),
        ...(device === undefined ? [] : [`device=${device}`]),
        ...(threads === undefined ? [] : [`threads=${threads}`]),
      ];
      const launch = readLauncherEnvironment(process.env);
      const leads = (launch?.rank ?? 0) === 0;
      const notes: string[] = [];
      const onNote = (note: string) => notes.push(note);
      const { init: initPath, newHead, entry, set: stated } = options;
      if (initPath === undefined && (newHead || entry !== undefined))
        throw InputError.expected('--init', newHead ? '--new-head' : '--entry', initPath);
      const sweep = sweepOf(recipeName, { ...options, stated, set, onNote });
      if (sweep !== null) {
        if (launch !== null)
          throw InputError.expected(
            'one process',
            'a sweep',
            `${launch.size} of ${launch.launcher}`,
            'Start a command for each value.',
          );
        const resume = isRestart(process.env) || requireBegun(options, isBegun(sweep), sweep.path);
        if (!options.dryRun)
          return runSweep(sweep, { resume, smoke: options.smoke, job: jobId(process.env), notes });
        for (const note of notes) printError(`${note}\n`);
        print(await drySweep(sweep, { resume }));
        return;
      }
      const { recipe, path } = isRunFolder(recipeName)
        ? recipeOfRun(recipeName, { ...options, stated })
        : chosenRecipe(recipeName, { ...options, set, onNote });
      // A launcher that starts a job again runs the same command line.
      const job = jobId(process.env);
      const isOfJob = job !== null && isRunFolder(path) && readManifest(path).chosen.job === job;
      const restarted = isRestart(process.env) || isOfJob;
      const resume = restarted || requireBegun(options, isRunFolder(path), path);
      if (options.dryRun) {
        for (const note of notes) printError(`${note}\n`);
        print(await dryRun(recipe, { path, resume }));
        return;
      }
      const isDone = leads && resume && isRunFolder(path) && readEvents(path).at(-1)?.type === 'end';
      const history = leads && resume && isRunFolder(path) ? readEvents(path) : [];
      if (options.init !== undefined && history.length > 0 && !restarted)
        throw InputError.expected('--resume or --init, not both,', 'a run that has started', path);
      const init = initPath === undefined ? undefined : readInitialWeights(initPath, { entry });
      // Imported after validation, since this loads the engine.
      const { trainRun } = await import('../../app/train/train-run.js');
      const { withProcessGroup } = await import('../../distributed/init-process-group.js');
      const display = createDisplay({ history });
      const signal = listenForInterrupt(leads ? display.note : () => {});
      const interrupted = () => signal.aborted;
      // A run that goes on said them when it began.
      if (leads && !(resume && isRunFolder(path))) for (const note of notes) display.note(note);
      const run = (group?: ProcessGroup) =>
        trainRun({
          recipe,
          path,
          resume,
          job,
          init,
          newHead,
          tensorboard: options.tensorboard,
          trackio: options.trackio,
          interrupted,
          onEvent: display.event,
          ...(group !== undefined && { group }),
          ...(leads && { onProgress: display.progress }),
        });
      try {
        if (launch === null)
          await run().catch((error: unknown) => {
            throw withResumeOfRun(error, path);
          });
        else {
          const { deviceOfRank } = await import('../../app/device-of-rank.js');
          const device =
            deviceOfRank(recipe.device, { source: 'device of the recipe' }) === 'cpu' ? 'cpu' : 'cuda';
          await withProcessGroup(launch, { device, interrupted }, run);
        }
      } finally {
        display.close();
      }
      if (!leads) return;
      if (isDone) print('The run is finished already; it was left as it is.\n');
      print(`The run is in ${path}. Evaluate it: ${commandLine(['evaluate', path])}\n`);
    });
}

/** What a run would do, and its complete recipe as YAML, which is a recipe again. */
async function dryRun(
  recipe: Recipe,
  { path, resume }: { readonly path: string; readonly resume: boolean },
): Promise<string> {
  const { trainingSetSize } = await import('../../app/plan/training-set-size.js');
  const { passCounts } = await import('../../app/plan/pass-counts.js');
  const { requireClassWeights } = await import('../../app/train/class-weights.js');
  const { requireWholeBatch } = await import('../../app/train/require-whole-batch.js');
  const { stringify } = await import('yaml');
  const size = await trainingSetSize(recipe);
  const { epochs, batch, patience } = recipe.training;
  requireWholeBatch(size.training, batch);
  requireClassWeights(recipe, size.classes);
  const goesOn = resume && isRunFolder(path);
  if (!goesOn) requireUnused(path);
  const { steps, measured } = passCounts(recipe, size);
  const { epsilonText, ...threat } = recipe.threat;
  const plain = { ...recipe, threat: { ...threat, epsilon: epsilonText } };
  return [
    `# ${goesOn ? 'would go on with the run in' : 'would train into'} ${path}:`,
    `# ${steps} steps of ${batch} images, of ${size.training}, in ${patience === null ? '' : 'at most '}${epochs} ${epochs === 1 ? 'epoch' : 'epochs'};`,
    `# after each, ${measured} of ${size.validation} validation images are attacked by ${recipe.validation.attack}`,
    stringify(plain),
  ].join('\n');
}

/** Help text on the values of `model.activation`. */
function activationHelp(): string {
  const lines = activationLines().map((line) => `  ${line}`);
  return `\nActivations, as --set model.activation=NAME:\n${lines.join('\n')}\nA coefficient is given in parentheses: "softplus(10)". See docs/activations.md.`;
}

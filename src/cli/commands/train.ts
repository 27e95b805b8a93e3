import { Command } from '@commander-js/extra-typings';
import { activationLines } from '../../activations/describe.js';
import { readInitialWeights } from '../../app/model/initial-weights.js';
import { isRestart, jobId, readLauncherEnvironment } from '../../distributed/launcher-environment.js';
import type { ProcessGroup } from '../../distributed/process-group.js';
import { InputError } from '../../errors.js';
import { loadRecipe, recipeNames } from '../../recipe/load-recipe.js';
import { readEvents } from '../../runs/event-log.js';
import { defaultRunPath, isRunFolder, readManifest } from '../../runs/run-folder.js';
import { deviceOption } from '../device-option.js';
import { listenForInterrupt } from '../interrupt.js';
import { several, wholeNumber } from '../option-parsers.js';
import { print, printError } from '../terminal/print.js';
import { createDisplay } from '../terminal/terminal.js';

/** `satin train RECIPE` */
export function trainCommand() {
  return new Command('train')
    .argument('<recipe>', `a YAML file, or one of ${recipeNames().join(', ')}`)
    .option('--set <path=value>', 'change one value of the recipe; repeatable', several)
    .option('--smoke', "apply the recipe's smoke section, or take four steps: a test that takes seconds", false)
    .option('--out <folder>', 'the run folder (default: runs/NAME-SEED)')
    .option('--resume', 'resume the run in the run folder', false)
    .option('--resume-or-start', 'resume the run in the run folder, or start it if there is none', false)
    .option('--init <model>', 'initialise from a run, checkpoint, weights file or PyTorch state dict')
    .option('--new-head', 'with --init: reinitialise the last layer, for other classes', false)
    .option('--entry <name>', 'with --init: which of several state dicts in a PyTorch checkpoint')
    .addOption(deviceOption("the recipe's, else a graphics card if there is one"))
    .option('--threads <count>', 'number of CPU threads', wholeNumber('--threads', 1))
    .addHelpText('after', activationHelp)
    .action(async (recipeName, options) => {
      const { smoke, device, threads } = options;
      const set = [
        ...(options.set ?? []),
        ...(device === undefined ? [] : [`device=${device}`]),
        ...(threads === undefined ? [] : [`threads=${threads}`]),
      ];
      const recipe = loadRecipe(recipeName, {
        set,
        smoke,
        onNote: (sentence) => printError(`${sentence}\n`),
      });
      const launch = readLauncherEnvironment(process.env);
      const leads = (launch?.rank ?? 0) === 0;
      const path =
        options.out ?? defaultRunPath(`${recipe.name}${smoke ? '-smoke' : ''}`, recipe.training.seed);
      // A launcher that starts a job again runs the same command line.
      const job = jobId(process.env);
      const isOfJob = job !== null && isRunFolder(path) && readManifest(path).chosen.job === job;
      const restarted = isRestart(process.env) || isOfJob;
      if (options.resume && !restarted && !isRunFolder(path))
        throw InputError.expected(
          'the folder of a run',
          '--resume',
          path,
          'Check --out, or use --resume-or-start to start a run there.',
        );
      const resume = options.resume || options.resumeOrStart || restarted;
      const isDone = leads && resume && isRunFolder(path) && readEvents(path).at(-1)?.type === 'end';
      const history = leads && resume && isRunFolder(path) ? readEvents(path) : [];
      if (options.init !== undefined && history.length > 0 && !restarted)
        throw InputError.expected('--resume or --init, not both,', 'a run that has started', path);
      const { init: initPath, newHead, entry } = options;
      if (initPath === undefined && (newHead || entry !== undefined))
        throw InputError.expected('--init', newHead ? '--new-head' : '--entry', initPath);
      const init = initPath === undefined ? undefined : readInitialWeights(initPath, { entry });
      // Imported after validation, since this loads the engine.
      const { trainRun } = await import('../../app/train/train-run.js');
      const { withProcessGroup } = await import('../../distributed/init-process-group.js');
      const display = createDisplay({ history });
      const signal = listenForInterrupt(leads ? display.note : () => {});
      const interrupted = () => signal.aborted;
      const run = (group?: ProcessGroup) =>
        trainRun({
          recipe,
          path,
          resume,
          job,
          init,
          newHead,
          interrupted,
          onEvent: display.event,
          ...(group !== undefined && { group }),
          ...(leads && { onProgress: display.progress }),
        });
      try {
        if (launch === null) await run();
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
      print(`The run is in ${path}. Evaluate it: ./satin evaluate ${path}\n`);
    });
}

/** Help text on the values of `model.activation`. */
function activationHelp(): string {
  const lines = activationLines().map((line) => `  ${line}`);
  return `\nActivations, as --set model.activation=NAME:\n${lines.join('\n')}\nA coefficient is given in parentheses: "softplus(10)". See docs/activations.md.`;
}

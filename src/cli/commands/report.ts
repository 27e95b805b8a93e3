import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { requireComparable } from '../../app/report/require-comparable.js';
import { noticeOf, runDifferences } from '../../app/report/run-differences.js';
import type { TrainedRun } from '../../app/report/training-report.js';
import { parseAttack, requireNorm } from '../../attacks/attack.js';
import { comparisonAttacks } from '../../attacks/comparison-attacks.js';
import { InputError } from '../../errors.js';
import { parseRecipe } from '../../recipe/recipe.js';
import { readCheckpoint } from '../../runs/checkpoint.js';
import { readEvents } from '../../runs/event-log.js';
import { isRunFolder, readManifest, readStoredRecipe } from '../../runs/run-folder.js';
import { brokenOption } from '../broken-option.js';
import { chooseStatedDevice, deviceOption } from '../device-option.js';
import { listenForInterrupt } from '../interrupt.js';
import { several, wholeNumber } from '../option-parsers.js';
import { requireNewFile, writeOutputFile } from '../output-file.js';
import { attackOptions, statedAttacks } from '../stated-attacks.js';
import { print } from '../terminal/print.js';
import { createDisplay } from '../terminal/terminal.js';

/** `satin report RUN...` */
export function reportCommand() {
  return new Command('report')
    .description(
      `Evaluates the best checkpoint of each run on its test images (the worst case of ${comparisonAttacks.join(' and ')} ` +
        'unless stated), compares all pairs by exact McNemar tests, and writes one HTML report. Evaluations are kept in ' +
        'the run folders, and what is kept is not measured again.',
    )
    .argument('<run...>', 'run folders with the same data set and threat model')
    .option('--out <file>', 'output file (default: report.html in the first run folder)')
    .option(
      '--examples <count>',
      'number of test images to attack (default: 1000)',
      wholeNumber('--examples', 1),
    )
    .addOption(brokenOption())
    .addOption(attackOptions.attack())
    .addOption(attackOptions.autoattack())
    .option(
      '--evaluation <folder>',
      'an evaluation of one of the runs, kept by satin evaluate --save-adversarial; repeatable. Its images, attacks and ' +
        'threat model hold for all runs',
      several,
    )
    .addOption(deviceOption())
    .option('--threads <count>', 'number of CPU threads', wholeNumber('--threads', 1))
    .action(async (paths, options) => {
      const { out: stated, examples, broken, device: wanted, threads, evaluation: evaluations } = options;
      const runs = paths.map(readRun);
      requireComparable(runs);
      const attacks = statedAttacks(options, runs[0]!.recipe.threat.norm);
      for (const attack of attacks ?? []) requireNorm(parseAttack(attack), runs[0]!.recipe.threat.norm);
      const out = stated ?? join(paths[0]!, 'report.html');
      requireNewFile(out, 'the report');
      const notice = noticeOf(runs, runDifferences(runs));
      // Imported after validation, since this loads the engine.
      const { trainingReport } = await import('../../app/report/training-report.js');
      const display = createDisplay();
      const device = await chooseStatedDevice({ device: wanted, threads, say: display.note });
      display.note(notice);
      const signal = listenForInterrupt(display.note);
      try {
        const { page } = await trainingReport({
          runs,
          ...(examples !== undefined && { examples }),
          ...(broken !== undefined && { broken }),
          ...(attacks !== undefined && { attacks }),
          ...(evaluations !== undefined && { evaluations }),
          device,
          interrupted: () => signal.aborted,
          onProgress: display.progress,
        });
        writeOutputFile(out, page, { isNew: true });
      } finally {
        display.close();
      }
      print(`The report is in ${out}. Open it in a browser.\n`);
    });
}

function readRun(path: string): TrainedRun {
  if (!isRunFolder(path)) throw InputError.expected('the folder of a run', 'the report', path);
  const recipe = parseRecipe(readStoredRecipe(path), `the run ${path}`);
  readManifest(path);
  readEvents(path);
  return { path, recipe, checkpoint: readCheckpoint({ path }) };
}

import { Command, Option } from '@commander-js/extra-typings';
import { readExpectedLogits } from '../../app/model/expected-logits.js';
import { resizeRules } from '../../data/image-rules.js';
import { readLauncherEnvironment } from '../../distributed/launcher-environment.js';
import type { ProcessGroup } from '../../distributed/process-group.js';
import { InputError, InterruptedError, RunError } from '../../errors.js';
import { newEvaluationFolder } from '../../evaluation/folder/new-folder.js';
import { brokenOption } from '../broken-option.js';
import { chooseStatedDevice, deviceOption, precisionOption } from '../device-option.js';
import { evaluateSettings } from '../evaluate-settings.js';
import { evaluationOutputs } from '../evaluation-outputs.js';
import { withFlags } from '../flags-in-messages.js';
import { listenForInterrupt } from '../interrupt.js';
import { modelOptions } from '../model-options.js';
import { normOption } from '../norm-option.js';
import { several, shareOf, wholeNumber } from '../option-parsers.js';
import { requireFilePath, requireNewFile, writeOutputFile } from '../output-file.js';
import { withResumeCommand } from '../resume-command.js';
import { sayModelFile } from '../say-model-file.js';
import { attackOptions } from '../stated-attacks.js';
import { evaluationTable } from '../terminal/evaluation-table.js';
import { percentage } from '../terminal/format.js';
import { createDisplay } from '../terminal/terminal.js';
import { requireJsonPath, writeResult } from '../write-result.js';

/** `satin evaluate MODEL` */
export function evaluateCommand() {
  return new Command('evaluate')
    .argument(
      '<model>',
      'a run folder, checkpoint, weights file, TorchScript file (a program: it may only compute, but for ever), PyTorch state dict or prefix of a TensorFlow checkpoint',
    )
    .option(
      '--data <name[:split]>',
      'data set and split (default: the test split of the data set the run was trained on)',
    )
    .option('--data-dir <folder>', 'folder of the data set')
    .addOption(
      new Option(
        '--resize <rule>',
        "how images of a folder are resized to the model's input (default: the run's, else crop)",
      ).choices(resizeRules),
    )
    .addOption(brokenOption())
    .option(
      '--class-map <file>',
      "YAML or JSON with a line for each class of the data: the model's name of it or the index of its output, as cat: 281",
    )
    .addOption(attackOptions.attack())
    .addOption(attackOptions.autoattack())
    .option('--alone', 'also run each attack alone on all correctly classified images')
    .option(
      '--surrogate <activation>',
      'run every attack again with the derivative of this activation (BPDA), such as softplus(10); repeatable',
      several,
    )
    .addOption(normOption())
    .option('--epsilon <radius>', "the threat model's radius, such as 8/255 (default: the run's)")
    .addOption(modelOptions.inputRange())
    .addOption(modelOptions.mean())
    .addOption(modelOptions.std())
    .addOption(modelOptions.architecture())
    .addOption(modelOptions.activation())
    .addOption(modelOptions.classes())
    .addOption(modelOptions.shape())
    .addOption(modelOptions.width())
    .addOption(modelOptions.padding())
    .addOption(modelOptions.normEpsilon())
    .addOption(modelOptions.entry())
    .addOption(modelOptions.released())
    .addOption(modelOptions.known())
    .option(
      '--expect <file>',
      'images and logits saved in Python, which the model has to give before it is measured: docs/weights.md',
    )
    .option('--examples <count>', 'number of images (default: 1000)', wholeNumber('--examples', 1))
    .option(
      '--batch <count|auto>',
      'batch size; affects only the speed (default: auto, which measures it)',
      (text) => (text === 'auto' ? ('auto' as const) : wholeNumber('--batch', 1)(text)),
    )
    .option('--seed <number>', "seed of the attacks' random numbers (default: 0)", wholeNumber('--seed', 0))
    .addOption(deviceOption('a graphics card if there is one; with --resume, as before'))
    .addOption(precisionOption())
    .option('--threads <count>', 'number of CPU threads', wholeNumber('--threads', 1))
    .addOption(
      new Option('--checks <set>', 'which checks of docs/checks.md to run (default: quick)').choices([
        'quick',
        'full',
      ]),
    )
    .option('--json <file>', 'write the result as JSON to a file, or - for standard output')
    .option(
      '--require-robust <share>',
      'exit with code 1 if the robust accuracy is less than this, such as 0.5',
      shareOf('--require-robust'),
    )
    .option(
      '--junit <file>',
      'with --require-robust, also write a JUnit file, as pages of continuous integration read it',
    )
    .option('--report <file>', 'write an HTML report, including accuracy against ε under apgd-ce')
    .option(
      '--curve-examples <count>',
      'number of images for accuracy against ε in the report; 0 omits it (default: 20 to 200, in about the time of the evaluation)',
      wholeNumber('--curve-examples', 0),
    )
    .option(
      '--save-adversarial <folder>',
      'store verdicts and adversarial images as they are found, for --resume and satin verify',
    )
    .option('--resume <folder>', 'resume the evaluation in this folder, with its original options')
    .action(async (modelPath, options, command) => {
      const settings = evaluateSettings(modelPath, options);
      const { attacks, surrogates, norm, epsilon, seed, batch, alone, checks, precision, stored } = settings;
      const notes: string[] = [];
      const outputs = evaluationOutputs(options, {
        stored: stored?.manifest.outputs ?? null,
        note: (sentence) => notes.push(sentence),
      });
      const { json, report, curveExamples, junit: junitFile, requireRobust: required } = outputs;
      requireJsonPath(json);
      if (junitFile !== undefined) requireFilePath(junitFile, '--junit');
      const expected = options.expect === undefined ? undefined : readExpectedLogits(options.expect);
      if (report !== undefined) requireNewFile(report, '--report');
      const launch = readLauncherEnvironment(process.env);
      const leads = (launch?.rank ?? 0) === 0;
      const kept = options.saveAdversarial;
      if (launch !== null && (kept !== undefined || stored !== null))
        throw InputError.expected(
          'one process',
          stored !== null ? '--resume' : '--save-adversarial',
          `${launch.size} of ${launch.launcher}`,
          'An evaluation in a folder does not support several processes.',
        );
      using created = kept === undefined ? null : newEvaluationFolder(kept);
      const folder = created ?? stored;

      // Imported after validation, since this loads the engine.
      const { evaluateRun } = await import('../../app/evaluate/evaluate-run.js');
      const { openModel } = await import('../../app/model/open-model.js');
      const { deviceOfRank } = await import('../../app/device-of-rank.js');
      const { withProcessGroup, threadsOfRank } = await import('../../distributed/init-process-group.js');
      const display = createDisplay();
      const signal = listenForInterrupt(leads ? display.note : () => {});
      const interrupted = () => signal.aborted;
      const progress = leads ? display.progress : () => {};
      const { threads } = settings;
      const say = leads ? display.note : () => {};
      for (const note of notes) say(note);
      const chosen = await chooseStatedDevice({
        device: settings.device,
        ...(options.device === undefined &&
          stored !== null && { source: `the device on which ${stored.path} was begun` }),
        threads,
        precision,
        say,
      });
      sayModelFile(settings.model, say);
      const measure = async (group?: ProcessGroup) => {
        if (group !== undefined && threads === undefined)
          (await import('../../engine/engine-info.js')).setThreads(threadsOfRank(group));
        using model = openModel(settings.model, {
          device: deviceOfRank(launch === null ? chosen : (settings.device ?? 'auto'), { group }),
        });
        const data = await settings.load(model, ({ stage, what, done, total }) => {
          if (total !== undefined) progress({ label: `${stage} ${what}`, done, total });
        });
        const { ReportPace, curveShare } = await import('../../app/report/report-pace.js');
        const { evaluationMultiples } = await import('../../app/report/evaluation-report.js');
        const isWithCurve = report !== undefined && curveExamples !== 0;
        const usual = 1; // without a number, a curve takes about as long as the evaluation
        const pace = new ReportPace({
          networks: 1,
          curveShare: !isWithCurve
            ? 0
            : curveExamples === undefined
              ? usual
              : curveShare({
                  examples: curveExamples,
                  points: evaluationMultiples.length,
                  attacks,
                  evaluated: data.ids.length,
                  classes: data.classes.length,
                }),
        });
        if (leads) for (const warning of data.warnings) display.warning(withFlags(warning, command));
        const run = await evaluateRun({
          model,
          data,
          attacks,
          surrogates,
          norm,
          epsilon,
          seed,
          batch,
          alone,
          checks,
          precision,
          ...(expected !== undefined && { expected }),
          ...(folder !== null && { folder }),
          outputs: {
            json: json ?? null,
            report: report ?? null,
            curveExamples: curveExamples ?? null,
            junit: junitFile ?? null,
            requireRobust: required ?? null,
            known: settings.known,
          },
          ...(group !== undefined && { group }),
          onChecks: (done, total) => progress({ label: 'checks', done, total }),
          interrupted,
          onProgress: ({ stage, done, total, robust, secondsLeft }) =>
            progress({
              label: stage,
              done,
              total,
              robust,
              ...pace.left('evaluation', secondsLeft),
            }),
        }).catch((error: unknown) => {
          throw withResumeCommand(error, modelPath, folder?.path ?? null);
        });
        if (!leads) return;
        display.close();
        writeResult(run.result, { json, table: evaluationTable(run.result, settings.known) });
        if (junitFile !== undefined && required !== undefined) {
          const { junit } = await import('../../report/evaluation/junit.js');
          writeOutputFile(junitFile, junit(run.result, required), { isNew: false });
        }
        if (report !== undefined) {
          const { evaluationReport } = await import('../../app/report/evaluation-report.js');
          pace.end('evaluation');
          pace.begin();
          const { page, isWhole } = await evaluationReport({
            model,
            data,
            measured: run,
            curveExamples: curveExamples ?? null,
            batch: run.result.batch.size,
            interrupted,
            onProgress: (whole) =>
              display.progress({ label: 'accuracy against ε', ...whole, ...pace.left('curve', whole) }),
          });
          display.close();
          writeOutputFile(report, page, { isNew: true });
          if (!isWhole)
            throw new InterruptedError(
              `Interrupted; the result was printed, and the report in ${report} has what was measured until then.`,
            );
          display.note(`The report is in ${report}. Open it in a browser.`);
        }
        if (required !== undefined && run.result.robust < required)
          throw new RunError(
            'not-robust',
            `Expected a robust accuracy of at least ${percentage(required)}, as required, but it is ${percentage(run.result.robust)}.`,
          );
      };
      try {
        if (launch === null) await measure();
        else
          await withProcessGroup(launch, { device: chosen === 'cpu' ? 'cpu' : 'cuda', interrupted }, measure);
      } finally {
        display.close();
      }
    });
}

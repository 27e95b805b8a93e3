import { basename } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { InputError } from '../../errors.js';
import { requireUnused } from '../../runs/run-folder.js';
import { modelOptions, readTypedModel } from '../model-options.js';
import { print } from '../terminal/print.js';
import { afterOneSecond, createDisplay } from '../terminal/terminal.js';

/** `satin publish MODEL` */
export function publishCommand() {
  return new Command('publish')
    .description(
      'Writes a folder to be shared: for the Hugging Face hub, with weights, config and a model card with the measured ' +
        'robustness, which timm loads where it has the network; or an entry for RobustBench. Nothing is uploaded.',
    )
    .argument('<model>', 'a run folder, checkpoint, weights file or PyTorch state dict')
    .addOption(
      new Option('--to <place>', 'what the folder is for')
        .choices(['huggingface', 'robustbench'] as const)
        .makeOptionMandatory(),
    )
    .option('--out <folder>', 'output folder, whose name is that of the model (default: the name of the run)')
    .option(
      '--evaluation <folder>',
      'a finished evaluation of this model, of satin evaluate --save-adversarial',
    )
    .option('--license <name>', 'Hugging Face: the licence, as the hub names it, such as mit')
    .option('--title <text>', 'RobustBench: title of the paper')
    .option('--authors <text>', 'RobustBench: its authors')
    .option('--link <address>', 'RobustBench: its address')
    .option('--venue <text>', 'RobustBench: where it appeared')
    .option('--additional-data', "RobustBench: trained with more than the data set's images")
    .addOption(modelOptions.architecture())
    .addOption(modelOptions.activation())
    .addOption(modelOptions.classes())
    .addOption(modelOptions.shape())
    .addOption(modelOptions.width())
    .addOption(modelOptions.padding())
    .addOption(modelOptions.normEpsilon())
    .addOption(modelOptions.entry())
    .addOption(modelOptions.inputRange())
    .addOption(modelOptions.mean())
    .addOption(modelOptions.std())
    .action(async (modelPath, options) => {
      const { to, evaluation, license, title, authors, link, venue, additionalData } = options;
      const paper = { title, authors, link, venue, additionalData };
      const stated = Object.entries(paper).find(([, value]) => value !== undefined);
      if (to === 'huggingface' && stated !== undefined)
        throw InputError.expected(
          'robustbench',
          `--to, as --${stated[0] === 'additionalData' ? 'additional-data' : stated[0]} was given,`,
          to,
        );
      if (to === 'robustbench' && license !== undefined)
        throw InputError.expected('huggingface', '--to, as --license was given,', to);
      const out = options.out ?? basename(modelPath).replace(/\.[a-z]+$/i, '');
      requireUnused(out);
      const file = readTypedModel(modelPath, options, { takesWeights: true });

      // Imported after validation, since this loads the engine.
      const { publishModel } = await import('../../app/publish/publish-model.js');
      const given = Object.fromEntries(Object.entries(paper).filter(([, value]) => value !== undefined));
      using display = createDisplay({ quietUntil: afterOneSecond });
      const files = publishModel(file, {
        format: to,
        out,
        evaluation,
        license,
        paper: given,
        onProgress: display.progress,
      });
      display.close();
      print(`${files.map((written) => `Wrote ${written}.`).join('\n')}\n`);
    });
}

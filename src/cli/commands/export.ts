import { basename } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { InputError } from '../../errors.js';
import { parseExternalDescription, requireForeignTakes } from '../../models/external-description.js';
import { modelKind, requireInputTakes } from '../../models/model-kind.js';
import { inputRanges, parsePreprocessing } from '../../models/preprocessing.js';
import { readCheckpoint } from '../../runs/checkpoint.js';
import { nameList } from '../../user-input/name-list.js';
import { readWeightsFile } from '../../weights/weights-file.js';
import { requireNewFile } from '../output-file.js';

/** What each format is called at the end of a file's name. */
const endings = { safetensors: '.safetensors', torchscript: '.pt' } as const;

/** `satin export MODEL` */
export function exportCommand() {
  return new Command('export')
    .description(
      'Writes a model for others to read: its weights as safetensors, under PyTorch’s names, or all of it as TorchScript for ' +
        'torch.jit.load, with the normalisation inside. Weights that PyTorch or another program wrote can be given too, ' +
        'with what they are; the safetensors file then says it itself. docs/weights.md tells more.',
    )
    .argument('<model>', 'a run folder, a checkpoint, a weights file or a state dict of PyTorch')
    .addOption(
      new Option('--format <format>', 'what is written')
        .choices(['safetensors', 'torchscript'] as const)
        .makeOptionMandatory(),
    )
    .option('--out <file>', 'a new file (default: named after the model, here)')
    .option('--architecture <name>', 'what network the weights of another program belong to')
    .option('--activation <name>', 'its activation, such as relu')
    .option('--classes <count|names>', 'how many classes it tells apart, or their names with commas between')
    .option('--shape <CxHxW>', 'channels, height and width that it takes, such as 3x32x32')
    .option('--width <factor>', 'its width where that is not the published one')
    .option('--entry <name>', 'which of several state dicts in a checkpoint of PyTorch, such as ema')
    .addOption(
      new Option(
        '--input-range <black,white>',
        'what such a network takes for black and white (default: 0,1)',
      ).choices(inputRanges),
    )
    .option('--mean <list>', 'mean of each channel in that range, which it wants subtracted')
    .option('--std <list>', 'deviation of each channel in that range, which it wants to be divided by')
    .action(async (modelPath, options) => {
      const { format, entry } = options;
      const out = options.out ?? `${basename(modelPath).replace(/\.[a-z]+$/i, '')}${endings[format]}`;
      requireNewFile(out, '--out');
      const kind = modelKind(modelPath);
      if (kind === 'torchscript')
        throw InputError.expected(
          'a model of Satin or a state dict',
          'the model',
          modelPath,
          'It is TorchScript already.',
        );
      const input = parsePreprocessing(options);
      requireInputTakes(kind, { path: modelPath, input });
      const form = parseExternalDescription(options);
      requireForeignTakes(kind, { path: modelPath, foreign: form, entry });
      if (form === null) readCheckpoint({ path: modelPath });
      else readWeightsFile(modelPath, { entry });

      // Loaded only now: nothing above needs the engine.
      const { exportModel } = await import('../../app/model/export-model.js');
      const { skipped, difference } = exportModel(modelPath, { format, out, input, form, entry });
      const lines = [
        `${out} is written.`,
        ...(skipped.length > 0 ? [`Left out, as no weights of this network: ${nameList(skipped)}.`] : []),
        ...(difference === null
          ? []
          : [
              `Read again, it differs from the model by ${difference.toExponential(1)} of the largest logit.`,
            ]),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}

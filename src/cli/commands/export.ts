import { basename } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { nameList } from '../../user-input/name-list.js';
import { modelOptions, readTypedModel } from '../model-options.js';
import { requireNewFile } from '../output-file.js';

/** File extensions of the formats. */
const extensions = { safetensors: '.safetensors', torchscript: '.pt' } as const;

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
    .addOption(modelOptions.architecture())
    .addOption(modelOptions.activation())
    .addOption(modelOptions.classes())
    .addOption(modelOptions.shape())
    .addOption(modelOptions.width())
    .addOption(modelOptions.entry())
    .addOption(modelOptions.inputRange())
    .addOption(modelOptions.mean())
    .addOption(modelOptions.std())
    .action(async (modelPath, options) => {
      const { format } = options;
      const out = options.out ?? `${basename(modelPath).replace(/\.[a-z]+$/i, '')}${extensions[format]}`;
      requireNewFile(out, '--out');
      const file = readTypedModel(modelPath, options, { takesWeights: true });

      // Imported after validation, since this loads the engine.
      const { exportModel } = await import('../../app/model/export-model.js');
      const { skipped, difference } = exportModel(file, { format, out });
      const lines = [
        `Wrote ${out}.`,
        ...(skipped.length > 0 ? [`Skipped, not part of this network: ${nameList(skipped)}.`] : []),
        ...(difference === null
          ? []
          : [
              `The loaded file differs from the model by ${difference.toExponential(1)} of the largest logit.`,
            ]),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}

import { basename } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { inputGradientFile, requireOnnx } from '../../app/model/export-options.js';
import { lossNames } from '../../onnx/losses.js';
import { nameList } from '../../user-input/name-list.js';
import { modelOptions, readTypedModel } from '../model-options.js';
import { requireNewFile } from '../output-file.js';
import { print } from '../terminal/print.js';
import { afterOneSecond, createDisplay } from '../terminal/terminal.js';

/** File extensions of the formats. */
const extensions = { safetensors: '.safetensors', torchscript: '.pt', onnx: '.onnx' } as const;

/** `satin export MODEL` */
export function exportCommand() {
  return new Command('export')
    .description(
      'Exports the weights as safetensors with PyTorch’s parameter names, or the whole model, including normalisation, as ' +
        'TorchScript for torch.jit.load or as ONNX for any runtime (docs/export.md). Also imports weights of PyTorch and TensorFlow, given a description of their ' +
        'network, which is stored in the safetensors file. See docs/weights.md.',
    )
    .argument(
      '<model>',
      'a run folder, checkpoint, weights file, PyTorch state dict or prefix of a TensorFlow checkpoint',
    )
    .addOption(
      new Option('--format <format>', 'output format')
        .choices(['safetensors', 'torchscript', 'onnx'] as const)
        .makeOptionMandatory(),
    )
    .option(
      '--out <file>',
      'output file, which must not exist (default: the name of the model, in the working directory)',
    )
    .option('--fold', 'ONNX: make batch norms part of the convolutions')
    .addOption(
      new Option(
        '--input-gradient <loss>',
        'ONNX: also write NAME.gradient.onnx, which returns the gradient of a loss with respect to the images, for attacks',
      ).choices(lossNames),
    )
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
    .addOption(modelOptions.inputRange())
    .addOption(modelOptions.mean())
    .addOption(modelOptions.std())
    .action(async (modelPath, options) => {
      const { format, fold = false, inputGradient } = options;
      requireOnnx({ format, fold, inputGradient });
      const out = options.out ?? `${basename(modelPath).replace(/\.[a-z]+$/i, '')}${extensions[format]}`;
      requireNewFile(out, '--out');
      if (inputGradient !== undefined) requireNewFile(inputGradientFile(out), '--out');
      const file = readTypedModel(modelPath, options, { takesWeights: true });

      // Imported after validation, since this loads the engine.
      const { exportModel } = await import('../../app/model/export-model.js');
      using display = createDisplay({ quietUntil: afterOneSecond });
      const { skipped, difference, files } = exportModel(file, {
        format,
        out,
        fold,
        inputGradient,
        onProgress: display.progress,
      });
      display.close();
      const lines = [
        ...files.map((written) => `Wrote ${written}.`),
        ...(skipped.length > 0 ? [`Skipped, not part of this network: ${nameList(skipped)}.`] : []),
        ...(difference === null
          ? []
          : [
              `The loaded file differs from the model by ${difference.toExponential(1)} of the largest logit.`,
            ]),
      ];
      print(`${lines.join('\n')}\n`);
    });
}

import { Command, Option } from '@commander-js/extra-typings';
import type { Prediction } from '../../app/predict.js';
import { decodeImages } from '../../data/decode-image.js';
import { resizeRules } from '../../data/image-rules.js';
import { InputError, printable } from '../../errors.js';
import { chooseStatedDevice, deviceOption } from '../device-option.js';
import { readTypedModel } from '../model-options.js';
import { wholeNumber } from '../option-parsers.js';
import { requireImageFile } from '../output-file.js';
import { printError } from '../terminal/print.js';
import { requireJsonPath, writeResult } from '../write-result.js';

/** `satin predict MODEL IMAGE...` */
export function predictCommand() {
  return new Command('predict')
    .description(
      'Classifies your own images. Each is resized to the input size of the model and converted to its number of channels. ' +
        'It should resemble the training images: Fashion-MNIST shows light clothes on a black background.',
    )
    .argument('<model>', 'a run folder, checkpoint or weights file')
    .argument('<image...>', 'JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP or PNM files')
    .addOption(
      new Option('--resize <rule>', 'how images are resized').choices(resizeRules).default('crop' as const),
    )
    .option('--json <file>', 'write the predictions as JSON to a file, or - for standard output')
    .addOption(deviceOption())
    .option('--threads <count>', 'number of CPU threads', wholeNumber('--threads', 1))
    .action(async (modelPath, files, { resize, json, device: stated, threads }) => {
      for (const file of files) requireImageFile(file);
      requireJsonPath(json);
      const file = readTypedModel(modelPath, {});
      if (file.kind !== 'satin')
        throw InputError.expected('a Satin model', 'the model', modelPath, 'It is a TorchScript file.');
      const { checkpoint } = file;
      const [channels, height, width] = checkpoint.model.shape;
      if (channels !== 1 && channels !== 3)
        throw InputError.expected('a model for grey (1) or colour (3) images', 'the model', channels);
      const { images: pixels, warnings } = await decodeImages({
        files,
        form: { size: [height, width], channels, resize },
      });
      for (const warning of warnings) printError(`Warning: ${warning}\n`);
      // Imported after validation, since this loads the engine.
      const { predict } = await import('../../app/predict.js');
      const { checkpointModel } = await import('../../app/model/checkpoint-model.js');
      const say = (sentence: string) => printError(`${sentence}\n`);
      const device = await chooseStatedDevice({ device: stated, threads, say });
      using model = checkpointModel(checkpoint, device);
      const predictions = predict(model, pixels);
      const images = files.map((image, index) => ({ image, predictions: predictions[index]! }));
      writeResult(
        { model: modelPath, modelDigest: checkpoint.weightsDigest, device, resize, images, warnings },
        { json, table: table(images) },
      );
    });
}

/** One row per image: file, then classes with probabilities in descending order. */
function table(
  images: readonly { readonly image: string; readonly predictions: readonly Prediction[] }[],
): string {
  const answers = images.map(({ predictions }) =>
    predictions.map((each) => `${printable(each.class)} ${(each.probability * 100).toFixed(1)}%`),
  );
  const widest = (texts: readonly string[]) => Math.max(...texts.map((text) => text.length));
  const names = images.map(({ image }) => printable(image));
  const nameWidth = widest(names);
  const widths = (answers[0] ?? []).map((_, column) => widest(answers.map((row) => row[column]!)));
  const rows = names.map((name, row) =>
    [name.padEnd(nameWidth), ...answers[row]!.map((text, column) => text.padEnd(widths[column]!))]
      .join('  ')
      .trimEnd(),
  );
  return `${rows.join('\n')}\n`;
}

import { Command, Option } from '@commander-js/extra-typings';
import type { Prediction } from '../../app/predict.js';
import { decodeImages } from '../../data/decode-image.js';
import { resizeRules } from '../../data/image-rules.js';
import { RunError } from '../../errors.js';
import { nameList } from '../../user-input/name-list.js';
import { chooseStatedDevice, deviceOption } from '../device-option.js';
import { inputShape } from '../input-shape.js';
import { modelOptions, readTypedModel } from '../model-options.js';
import { wholeNumber } from '../option-parsers.js';
import { isImageFile, requireImageFile } from '../output-file.js';
import { sayModelFile } from '../say-model-file.js';
import { columns } from '../terminal/columns.js';
import { percentage } from '../terminal/format.js';
import { createDisplay } from '../terminal/terminal.js';
import { requireJsonPath, writeResult } from '../write-result.js';

/** `satin predict MODEL IMAGE...` */
export function predictCommand() {
  return new Command('predict')
    .description(
      'Classifies your own images. Each is resized to the input size of the model and converted to its number of channels. ' +
        'It should resemble the training images: Fashion-MNIST shows light clothes on a black background.',
    )
    .argument(
      '<model>',
      'a run folder, checkpoint, weights file, TorchScript file, PyTorch state dict or prefix of a TensorFlow checkpoint',
    )
    .argument('<image...>', 'JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP or PNM files')
    .addOption(
      new Option('--resize <rule>', 'how images are resized').choices(resizeRules).default('crop' as const),
    )
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
    .option('--json <file>', 'write the predictions as JSON to a file, or - for standard output')
    .addOption(deviceOption())
    .option('--threads <count>', 'number of CPU threads', wholeNumber('--threads', 1))
    .action(async (modelPath, files, options) => {
      const { resize, json, threads } = options;
      requireJsonPath(json);
      const there = files.filter(isImageFile);
      if (there.length === 0) requireImageFile(files[0]!);
      const file = readTypedModel(modelPath, options, { takesWeights: true });
      const shape = inputShape(file);
      const [channels, height, width] = shape;
      const form = { size: [height, width], channels, resize } as const;
      using display = createDisplay();
      const decoded = await decodeImages({
        files: there,
        form,
        broken: 'skip',
        onProgress: (done, total) => display.progress({ label: 'decode', done, total }),
      });
      if (decoded.kept.length === 0) await decodeImages({ files: there, form }); // names the broken ones
      const missing = files.filter((each) => !there.includes(each));
      const warnings = [
        ...(missing.length === 0
          ? []
          : [`Left out what is no file: ${nameList(missing, { most: 20, length: 500 })}.`]),
        ...decoded.warnings,
      ];
      for (const warning of warnings) display.warning(warning);
      // Imported after validation, since this loads the engine.
      const { predict } = await import('../../app/predict.js');
      const { modelClassNames } = await import('../../app/model/model-class-names.js');
      const { openModel } = await import('../../app/model/open-model.js');
      const device = await chooseStatedDevice({ device: options.device, threads, say: display.note });
      sayModelFile(file, display.note);
      using model = openModel(file, { device });
      const classes = modelClassNames(model, shape);
      const predictions = predict(model, {
        images: decoded.images,
        shape,
        classes,
        onProgress: (done, total) => display.progress({ label: 'classify', done, total }),
      });
      display.close();
      const images = Array.from(decoded.kept, (index, row) => ({
        image: there[index]!,
        predictions: predictions[row]!,
      }));
      writeResult(
        { model: modelPath, modelDigest: model.digest, device, resize, images, warnings },
        { json, table: table(images) },
      );
      if (images.length < files.length)
        throw new RunError(
          'images-left-out',
          `${files.length - images.length} of ${files.length} images could not be read; the others were classified.`,
        );
    });
}

/** One row per image: file, then classes with probabilities in descending order; fewer where the terminal is narrow. */
function table(
  images: readonly { readonly image: string; readonly predictions: readonly Prediction[] }[],
): string {
  const rows = images.map(({ image, predictions }) => [
    image,
    ...predictions.map((each) => `${each.class} ${percentage(each.probability)}`),
  ]);
  const lines = columns(rows, { optional: Math.max(0, (rows[0]?.length ?? 0) - 2) });
  return `${lines.join('\n')}\n`;
}

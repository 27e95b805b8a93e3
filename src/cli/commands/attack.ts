import { join } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import type { ModelFile } from '../../app/model/read-model-file.js';
import { attackForms, parseAttack, requireNorm } from '../../attacks/attack.js';
import { decodeImages } from '../../data/decode-image.js';
import { resizeRules } from '../../data/image-rules.js';
import { InputError } from '../../errors.js';
import { parseRecipe } from '../../recipe/recipe.js';
import { isRunFolder, readStoredRecipe } from '../../runs/run-folder.js';
import { nearest } from '../../user-input/did-you-mean.js';
import { parseEpsilon } from '../../user-input/epsilon.js';
import { nameList } from '../../user-input/name-list.js';
import { anyNorm } from '../../user-input/norm-name.js';
import { chooseStatedDevice, deviceOption } from '../device-option.js';
import { inputShape } from '../input-shape.js';
import { listenForInterrupt } from '../interrupt.js';
import { modelOptions, readTypedModel } from '../model-options.js';
import { normOption } from '../norm-option.js';
import { missing, wholeNumber } from '../option-parsers.js';
import { requireEmptyFolder, requireImageFile } from '../output-file.js';
import { sayModelFile } from '../say-model-file.js';
import { attackTable } from '../terminal/attack-table.js';
import { createDisplay } from '../terminal/terminal.js';
import { requireJsonPath, writeResult } from '../write-result.js';

/** `satin attack MODEL IMAGE...` */
export function attackCommand() {
  return new Command('attack')
    .description(
      'Attacks your own images. Each image is resized to the input size of the model, as in predict, and then ' +
        'attacked. The output folder contains PNGs, an HTML report (index.html), and the exact adversarial images as ' +
        'float32, since the 8 bits of a PNG change the perturbation.',
    )
    .argument(
      '<model>',
      'a run folder, checkpoint, weights file, TorchScript file, PyTorch state dict or prefix of a TensorFlow checkpoint',
    )
    .argument('<image...>', 'JPEG, PNG, WebP, GIF, TIFF or AVIF files')
    .option('--attack <name>', attackForms, 'pgd-50')
    .addOption(normOption())
    .option('--epsilon <radius>', "the threat model's radius, such as 8/255 (default: the run's)")
    .option('--label <class>', 'true class of the images (default: the prediction of the model)')
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
    .option('--out <folder>', 'output folder', 'adversarial')
    .option('--json <file>', 'also write the result as JSON to a file, or - for standard output')
    .option('--seed <number>', "seed of the attack's random numbers", wholeNumber('--seed', 0), 0)
    .addOption(deviceOption())
    .option('--threads <count>', 'number of CPU threads', wholeNumber('--threads', 1))
    .action(async (modelPath, files, options) => {
      const { resize, out, json, seed, threads } = options;
      for (const file of files) requireImageFile(file);
      requireJsonPath(json);
      const attack = parseAttack(options.attack);
      const file = readTypedModel(modelPath, options, { takesWeights: true });
      const described = describedClasses(file);
      const shape = inputShape(file);
      const threat = isRunFolder(modelPath)
        ? parseRecipe(readStoredRecipe(modelPath), `the run ${modelPath}`).threat
        : null;
      const norm = options.norm ?? threat?.norm ?? missing('--norm', anyNorm);
      requireNorm(attack, norm);
      const epsilon =
        options.epsilon === undefined && threat?.norm === norm
          ? { epsilon: threat.epsilon, epsilonText: threat.epsilonText }
          : parseEpsilon(
              options.epsilon ?? missing('--epsilon', 'a radius such as 8/255'),
              norm,
              '--epsilon',
            );
      if (described !== null) classOf(options.label, described); // fail before loading the engine
      requireEmptyFolder(out, '--out');
      const [channels, height, width] = shape;
      const display = createDisplay();
      const { images, warnings } = await decodeImages({
        files,
        form: { size: [height, width], channels, resize },
        onProgress: (done, total) => display.progress({ label: 'decode', done, total }),
      }).finally(display.close);
      // Imported after validation, since this loads the engine.
      const { attackFiles, writeAttackFolder } = await import('../../app/attack/write-folder.js');
      const { modelClassNames } = await import('../../app/model/model-class-names.js');
      const { openModel } = await import('../../app/model/open-model.js');
      const device = await chooseStatedDevice({ device: options.device, threads, say: display.note });
      sayModelFile(file, display.note);
      for (const warning of warnings) display.warning(warning);
      const signal = listenForInterrupt(display.note);
      try {
        using model = openModel(file, { device });
        const classes = modelClassNames(model, shape);
        const { result, images: attacked } = await attackFiles({
          model,
          files,
          images,
          warnings,
          shape,
          classes,
          label: classOf(options.label, classes),
          attack: attack.name,
          norm,
          epsilon,
          seed,
          resize,
          interrupted: () => signal.aborted,
          onProgress: ({ stage, done, total }) => display.progress({ label: stage, done, total }),
        });
        display.close();
        writeResult(result, { json, table: attackTable(result, join(out, 'index.html')) });
        await writeAttackFolder({
          folder: out,
          result,
          images: attacked,
          shape,
          onProgress: (done, total) => display.progress({ label: 'write pictures', done, total }),
        });
      } finally {
        display.close();
      }
    });
}

/** The class names that the file of a model states; null if the model has to be asked. */
function describedClasses(file: ModelFile): readonly string[] | null {
  if (file.kind === 'satin') return file.checkpoint.model.classes;
  return file.kind === 'weights' ? file.description.classes : file.form.classes;
}

/** The label of a class by name, or null if none is given. @throws {InputError} listing the known classes. */
function classOf(name: string | undefined, classes: readonly string[]): number | null {
  if (name === undefined) return null;
  const label = classes.indexOf(name);
  if (label >= 0) return label;
  const meant = nearest(name, classes);
  throw InputError.expected(
    meant === undefined || classes.length <= 10
      ? `a class of the model (${nameList(classes, 10)})`
      : `one of the ${classes.length} classes of the model`,
    '--label',
    name,
    meant === undefined ? undefined : `Did you mean '${meant}'?`,
  );
}

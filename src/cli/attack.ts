import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { attackForms, parseAttack, requireNorm } from '../attacks/attack.js';
import { decodeImages, resizeRules } from '../data/image.js';
import { parseEpsilon } from '../epsilon.js';
import { InputError } from '../errors.js';
import { nearest } from '../nearest.js';
import { parseRecipe } from '../recipe.js';
import { readCheckpoint } from '../runs/checkpoint.js';
import { isRunFolder, readStoredRecipe } from '../runs/run-folder.js';
import { attackTable } from './attack-table.js';
import { requireImageFile } from './image-file.js';
import { listenForInterrupt } from './interrupt.js';
import { wholeNumber } from './options.js';
import { requireFilePath } from './output-file.js';
import { createDisplay } from './terminal.js';

/** `satin attack MODEL IMAGE...` */
export function attackCommand() {
  return new Command('attack')
    .description(
      'Adversarial versions of images of your own, beside the originals. Each image is brought to the size that the ' +
        'model takes, as predict does, and then attacked. The folder gets PNGs, a page to look at (index.html), and ' +
        'the exact images as float32: the 8 bits of a PNG change what was found.',
    )
    .argument('<model>', 'a run folder, a checkpoint or a weights file')
    .argument('<image...>', 'JPEG, PNG, WebP, GIF, TIFF or AVIF files')
    .option('--attack <name>', attackForms, 'pgd-50')
    .addOption(
      new Option('--norm <norm>', "the threat model's norm (default: the run's)").choices(['linf', 'l2']),
    )
    .option('--epsilon <radius>', "the threat model's radius, such as 8/255 (default: the run's)")
    .option('--label <class>', 'what the images show (default: what the model says of each)')
    .addOption(
      new Option('--resize <rule>', 'how an image of another shape is brought to size')
        .choices(resizeRules)
        .default('crop' as const),
    )
    .option('--out <folder>', 'where everything goes', 'adversarial')
    .option('--json <file>', 'write the result to a file too, or to standard output for -')
    .option('--seed <number>', "seed of the attack's random starts", wholeNumber('--seed', 0), 0)
    .option('--threads <count>', 'threads of the engine', wholeNumber('--threads', 1))
    .action(async (modelPath, files, options) => {
      const { resize, out, json, seed, threads } = options;
      for (const file of files) requireImageFile(file);
      if (json !== undefined && json !== '-') requireFilePath(json, '--json');
      const attack = parseAttack(options.attack);
      const checkpoint = readCheckpoint({ path: modelPath });
      const threat = isRunFolder(modelPath)
        ? parseRecipe(readStoredRecipe(modelPath), `the run ${modelPath}`).threat
        : null;
      const norm = options.norm ?? threat?.norm ?? missing('--norm', 'linf or l2');
      requireNorm(attack, norm);
      const epsilon =
        options.epsilon === undefined && threat?.norm === norm
          ? { epsilon: threat.epsilon, epsilonText: threat.epsilonText }
          : parseEpsilon(
              options.epsilon ?? missing('--epsilon', 'a radius such as 8/255'),
              norm,
              '--epsilon',
            );
      const { classes, shape } = checkpoint.model;
      const label = options.label === undefined ? null : classOf(options.label, classes);
      const [channels, height, width] = shape;
      if (channels !== 1 && channels !== 3)
        throw InputError.expected('a model of grey (1) or colour (3) images', 'the model', channels);
      const images = await decodeImages({ files, form: { size: [height, width], channels, resize } });
      // Loaded only now: nothing above needs the engine.
      const { attackPictures } = await import('../attack-pictures.js');
      const { openModel } = await import('../measured-model.js');
      if (threads !== undefined) (await import('../tensor/engine.js')).setThreads(threads);
      const display = createDisplay();
      const signal = listenForInterrupt(display.note);
      try {
        using model = openModel(modelPath);
        const result = await attackPictures({
          model,
          files,
          images,
          shape,
          classes,
          label,
          attack: attack.name,
          norm,
          epsilon,
          seed,
          resize,
          folder: out,
          interrupted: () => signal.aborted,
          onProgress: ({ stage, done, total }) => display.progress({ label: stage, done, total }),
        });
        display.close();
        const text = `${JSON.stringify(result)}\n`;
        if (json !== undefined && json !== '-') writeFileSync(json, text);
        process.stdout.write(json === '-' ? text : attackTable(result, join(out, 'index.html')));
      } finally {
        display.close();
      }
    });
}

/** @throws {InputError} that names the classes there are. */
function classOf(name: string, classes: readonly string[]): number {
  const label = classes.indexOf(name);
  if (label >= 0) return label;
  const meant = nearest(name, classes);
  throw InputError.expected(
    `a class of the model (${classes.slice(0, 20).join(', ')}${classes.length > 20 ? `, and ${classes.length - 20} more` : ''})`,
    '--label',
    name,
    meant === undefined ? undefined : `Did you mean '${meant}'?`,
  );
}

function missing(option: string, expected: string): never {
  throw InputError.expected(
    expected,
    option,
    undefined,
    'A run folder brings its own; a lone checkpoint does not.',
  );
}

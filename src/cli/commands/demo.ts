import { Command } from '@commander-js/extra-typings';
import { browserNormOf } from '../../app/demo/browser-norm.js';
import type { SatinFile } from '../../app/demo/write-demo.js';
import { InputError } from '../../errors.js';
import { evaluateSettings } from '../evaluate-settings.js';
import { readTypedModel } from '../model-options.js';
import { normOption } from '../norm-option.js';
import { wholeNumber } from '../option-parsers.js';
import { requireEmptyFolder } from '../output-file.js';
import { print } from '../terminal/print.js';
import { createDisplay } from '../terminal/terminal.js';

/** `satin demo MODEL MODEL` */
export function demoCommand() {
  return new Command('demo')
    .description(
      'Writes a folder for any web server: a page on which visitors attack two networks side by side, in their own browser, ' +
        'with test images, their own or drawn ones. Nothing is sent anywhere. See docs/demo.md.',
    )
    .argument('<model>', 'a run folder, checkpoint or weights file of Satin')
    .argument('<other>', 'another one, with the same classes and input')
    .option('--out <folder>', 'output folder', 'demo')
    .option('--data <name>', "data set of the images, such as cifar10:test (default: the run's test images)")
    .option('--data-dir <folder>', 'folder of the data set')
    .option(
      '--examples <count>',
      'number of images, the same that evaluate takes',
      wholeNumber('--examples', 1),
      100,
    )
    .addOption(normOption())
    .option('--epsilon <radius>', "the threat model's radius, such as 8/255 (default: the run's)")
    .option('--seed <number>', 'seed of the random starts', wholeNumber('--seed', 0), 0)
    .action(async (first, second, options) => {
      const { out, seed } = options;
      requireEmptyFolder(out, '--out');
      const files = [satinFile(first), satinFile(second)] as const;
      const { norm, epsilon, load } = evaluateSettings(first, options);
      const threat = { norm: browserNormOf(norm, '--norm'), ...epsilon };
      // Imported after validation, since this loads the engine.
      const { requireBuiltPage, requireSameTask, writeDemo } = await import('../../app/demo/write-demo.js');
      const { openModel } = await import('../../app/model/open-model.js');
      requireSameTask(files);
      requireBuiltPage();
      const display = createDisplay();
      try {
        using model = openModel(files[0]);
        const dataset = await load(model, ({ stage, done, total }) =>
          display.progress({ label: stage, done, total: total ?? done }),
        );
        for (const warning of dataset.warnings) display.warning(warning);
        await writeDemo({ folder: out, files, dataset, threat, seed, onProgress: display.progress });
        display.close();
        print(
          `Wrote ${out}: two networks and ${dataset.ids.length} images. Serve it with any web server, ` +
            `for example: python3 -m http.server --bind 127.0.0.1 --directory ${out}\n`,
        );
      } finally {
        display.close();
      }
    });
}

/** @throws {InputError} for a model of another program, whose layers are not known. */
function satinFile(path: string): SatinFile {
  const file = readTypedModel(path, {});
  if (file.kind === 'satin') return file;
  throw InputError.expected('a model of Satin', 'the model', path, 'Import weights first: satin export.');
}

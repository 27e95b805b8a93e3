import { basename, resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { commandLine } from '../../provenance/command-line.js';
import { schemaLine } from '../../recipe/schema-line.js';
import { defaultRunPath } from '../../runs/run-folder.js';
import { requireNewFile, writeOutputFile } from '../output-file.js';
import { print } from '../terminal/print.js';
import { createDisplay } from '../terminal/terminal.js';

/** `satin init FOLDER` */
export function initCommand() {
  return new Command('init')
    .description(
      'Looks at a folder of images, with one subfolder for each class, and writes a commented recipe for it: the size of ' +
        'the images, the network, the number of epochs. It trains as it is written.',
    )
    .argument(
      '<folder>',
      'a folder with one subfolder of images for each class, or train/ and test/ with such subfolders',
    )
    .option('--out <file>', 'the recipe, which must not exist (default: NAME.yaml of the folder)')
    .action(async (folder, options) => {
      const out = options.out ?? `${basename(resolve(folder))}.yaml`;
      requireNewFile(out, 'the recipe');
      const { folderFacts, recipeName, suggestRecipe } = await import('../../app/suggest-recipe.js');
      const display = createDisplay();
      const facts = await folderFacts(folder, (done, total) =>
        display.progress({ label: 'look at images', done, total }),
      ).finally(display.close);
      for (const warning of facts.warnings) display.warning(warning);
      const run = defaultRunPath(recipeName(folder), 0);
      const usage = [
        [commandLine(['plan', out]), 'parameters, memory and time'],
        [commandLine(['train', out]), 'Ctrl-C saves a checkpoint and says how to go on'],
        [commandLine(['evaluate', run]), 'accuracy under attack, on the test images'],
      ].map(([command = '', words = '']) => `${command}   ${words}`);
      writeOutputFile(out, suggestRecipe(folder, facts, { usage, schemaLine: schemaLine(out) }), {
        isNew: true,
      });
      const { images, classes } = facts;
      print(
        `${out} is for ${images.training} images of ${classes.length} classes, with ${images.validation} for validation and ${images.test} for the test.\n` +
          `Train it: ${commandLine(['train', out])}\n`,
      );
    });
}

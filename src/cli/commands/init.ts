import { basename, resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { commandLine } from '../../provenance/command-line.js';
import { requireNewFile, writeOutputFile } from '../output-file.js';
import { print, printError } from '../terminal/print.js';

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
      const { folderFacts, suggestRecipe } = await import('../../app/suggest-recipe.js');
      const facts = await folderFacts(folder);
      for (const warning of facts.warnings) printError(`Warning: ${warning}\n`);
      writeOutputFile(out, suggestRecipe(folder, facts), { isNew: true });
      const { images, classes } = facts;
      print(
        `${out} is for ${images.training} images of ${classes.length} classes, with ${images.validation} for validation and ${images.test} for the test.\n` +
          `Train it: ${commandLine(['train', out])}\n`,
      );
    });
}

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { datasetError } from '../dataset-error.js';
import { listClasses, listImages } from '../image-folder-layout.js';
import { readExisting } from '../read-file.js';
import type { EncodedImages } from './encoded-images.js';

/**
 * The images of a folder with one subfolder per class, the layout of unpacked ImageNet. Labels are the indices of the
 * sorted subfolder names, or of those of `classesOf`, the training split: `val/` may lack some.
 *
 * @throws {InputError} for another layout.
 */
export async function folderImages(
  folder: string,
  { name, classesOf = null }: { readonly name: string; readonly classesOf?: string | null },
): Promise<EncodedImages> {
  if ((await listClasses(folder)).length === 0 && (await holdsImages(folder)))
    throw datasetError({
      file: folder,
      expected: 'one subfolder of images for each class, such as n01440764/,',
      received: 'images without subfolders',
      remedy:
        'Sort them into folders named after their synsets, as valprep.sh of soumith/imagenetloader.torch does. A file of labels is not read: those of the devkit number the classes in another order than the sorted synsets that networks are trained on.',
    });
  const known = classesOf === null ? undefined : { names: await listClasses(classesOf), of: classesOf };
  const { images, classes, warnings } = await listImages(folder, known);
  const paths = images.map(({ path }) => path);
  return {
    name,
    classes,
    labels: Uint16Array.from(images, ({ label }) => label),
    shards: null,
    warnings,
    keyOf: (index) => paths[index]!,
    nameOf: (index) => join(folder, paths[index]!),
    read: (index) => readExisting(join(folder, paths[index]!)),
    close: async () => {},
  };
}

async function holdsImages(folder: string): Promise<boolean> {
  return (await readdir(folder)).some((name) => /\.jpe?g$/i.test(name));
}

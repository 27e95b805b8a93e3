import { resolve } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import { allImages, type NamedSplit } from '../../data/dataset-names.js';
import { homePath } from '../../data/home-path.js';
import { folderLayout } from '../../data/image-folder-layout.js';

/** A folder to evaluate on, and the one that the model was trained on, if that is known. */
export interface EvaluatedFolder {
  readonly dir: string;
  /** null if the model was trained on something else, or that is not known. */
  readonly trainedOn: string | null;
}

/**
 * The split that is measured of a folder where none is named: the images that training left out of the folder it used; of
 * another folder, which is given for the evaluation alone, the test images if it has splits, else all.
 *
 * @throws {InputError} as `folderLayout`.
 */
export async function splitOfFolder({ dir, trainedOn }: EvaluatedFolder): Promise<NamedSplit> {
  if (trainedOn !== null && resolve(homePath(dir)) === resolve(homePath(trainedOn))) return 'test';
  const { kind } = await folderLayout(homePath(dir));
  return kind === 'whole' ? allImages : 'test';
}

/**
 * The images with a warning of which part of a folder without splits they are: a tenth of it, or all, of which the model may
 * have been trained on some. As they are for a folder with splits.
 */
export async function withPartOfFolder(data: Dataset, { dir, trainedOn }: EvaluatedFolder): Promise<Dataset> {
  const { kind } = await folderLayout(homePath(dir));
  if (kind === 'splits') return data;
  const warning =
    data.name === 'folder:test'
      ? `Of ${dir} the tenth of each class is measured that training leaves out; folder:whole measures the whole.`
      : data.name === `folder:${allImages}` && trainedOn !== null
        ? `All of ${dir} is measured. If these are the images of ${trainedOn} in another place, the model was trained on most of them: ask for folder:test then.`
        : null;
  return warning === null ? data : { ...data, warnings: [...data.warnings, warning] };
}

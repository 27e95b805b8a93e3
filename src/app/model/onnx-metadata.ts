import { z } from 'zod';
import type { ModelDescription } from '../../models/description.js';
import { arePlaceholders } from '../../models/placeholder-class-names.js';
import { version } from '../../provenance/version.js';
import type { Checkpoint } from '../../runs/checkpoint.js';
import { readEvents } from '../../runs/event-log.js';
import { isRunFolder, readStoredRecipe } from '../../runs/run-folder.js';
import type { ModelFile } from './read-model-file.js';

/**
 * What an ONNX file says of its model, each a text: `satin` (version), `model` (the description, JSON), `digest` of the
 * weights, `classes` (JSON; absent if only their number is known), `input`; of a run also `recipe`, without the folder of its data, and the `measurements`
 * of the epoch that is exported, clean and robust accuracy among them (JSON).
 */
export function onnxMetadata(
  file: ModelFile,
  { description, digest }: { readonly description: ModelDescription; readonly digest: string },
): ReadonlyMap<string, string> {
  const { shape, classes } = description;
  const metadata = new Map([
    ['satin', version],
    ['model', JSON.stringify(description)],
    ['digest', digest],
    ['input', `images [N, ${shape.join(', ')}], pixels in [0, 1]`],
  ]);
  if (!arePlaceholders(classes)) metadata.set('classes', JSON.stringify(classes));
  if (file.kind === 'satin' && isRunFolder(file.path)) {
    metadata.set('recipe', JSON.stringify(withoutFolders(readStoredRecipe(file.path))));
    const measurements = measurementsOf(file.path, file.checkpoint);
    if (measurements !== null) metadata.set('measurements', JSON.stringify(measurements));
  }
  return metadata;
}

/** A recipe without `data.dir`: the file goes to others, whom the folders of this machine do not concern. */
function withoutFolders(recipe: unknown): unknown {
  const { success, data } = z.looseObject({ data: z.looseObject({}) }).safeParse(recipe);
  if (!success) return recipe;
  const { dir: _, ...rest } = data.data;
  return { ...data, data: rest };
}

/** What the run measured after the epoch of a checkpoint; null if it was written within one. */
function measurementsOf(run: string, { progress }: Checkpoint): Readonly<Record<string, number>> | null {
  for (const event of readEvents(run))
    if (event.type === 'epoch' && event.step === progress?.step) return event.measurements;
  return null;
}

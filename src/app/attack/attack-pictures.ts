import type { ResizeRule } from '../../data/image.js';
import { engineInfo } from '../../engine/info.js';
import { commandLine } from '../../provenance/command-line.js';
import { version } from '../../provenance/version.js';
import type { AttackedPictures } from '../../report/attack/result.js';
import { type AttackedImage, type AttackImagesOptions, attackImages } from './attack-images.js';
import { writeAttackFolder } from './write-folder.js';

export interface AttackPicturesOptions extends AttackImagesOptions {
  /** Which the images were read from. */
  readonly files: readonly string[];
  /** How they were brought to size. */
  readonly resize: ResizeRule;
  /** Does not exist yet, or is empty. */
  readonly folder: string;
}

/** Attacks images of a person's own and writes the folder that holds what came of them. */
export async function attackPictures(options: AttackPicturesOptions): Promise<AttackedPictures> {
  const { model, files, classes, shape, label, attack, norm, epsilon, seed, resize, folder } = options;
  const images = await attackImages(options);
  const said = ({ label, probability }: AttackedImage['before']) => ({ class: classes[label]!, probability });
  const result: AttackedPictures = {
    satin: version,
    command: commandLine(),
    engine: engineInfo().libtorch,
    made: new Date().toISOString(),
    model: model.name,
    modelDigest: model.digest,
    attack,
    norm,
    ...epsilon,
    seed,
    resize,
    labels: label === null ? 'predicted' : 'given',
    images: images.map((image, place) => ({
      image: files[place]!,
      label: classes[image.label]!,
      outcome: image.outcome,
      before: said(image.before),
      after: said(image.after),
      distance: image.distance,
      png: {
        ...said(image.rounded),
        distance: image.roundedDistance,
        fools: image.rounded.label !== image.label,
      },
    })),
  };
  await writeAttackFolder({ folder, result, images, shape });
  return result;
}

import type { EvaluationManifest } from '../../evaluation/folder/manifest.js';
import { readEvaluationManifest } from '../../evaluation/folder/manifest.js';
import { type VerifiedImage, verifyFolder } from '../../evaluation/folder/verify-folder.js';
import type { Preprocessing } from '../../models/preprocessing.js';
import { version } from '../../provenance/version.js';
import { type ModelFile, readModelFile } from '../model/model-file.js';
import { type AttackableModel, openModel } from '../model/open-model.js';

/** The result of a verification as JSON. Its fields are stable: other programs read them. */
export interface VerificationResult {
  readonly satin: string;
  /** The folder of the evaluation. */
  readonly folder: string;
  readonly isFinished: boolean;
  readonly model: string;
  readonly modelDigest: string;
  /** Whether it is the model that was evaluated; another one says how far the images transfer. */
  readonly isSameModel: boolean;
  readonly data: string;
  readonly pixelsDigest: string;
  readonly norm: 'linf' | 'l2';
  readonly epsilon: number;
  readonly epsilonText: string;
  /** How many adversarial images are stored. */
  readonly images: number;
  /** How many of them lie in ball and box and, where it is the same model, are misclassified by it. */
  readonly verified: number;
  /** How many of them the model misclassifies. */
  readonly fooled: number;
  /** How many of them belong to originals that the model classifies rightly, and how many of those it misclassifies. */
  readonly ofRight: { readonly images: number; readonly fooled: number };
  /** Those that do not verify. */
  readonly failed: readonly FailedImage[];
}

export interface FailedImage extends Pick<VerifiedImage, 'id' | 'label' | 'attack' | 'distance' | 'pixels'> {
  readonly because: readonly ('outside-ball' | 'outside-box' | 'classified-rightly')[];
}

/**
 * Checks the adversarial images of an evaluation again, with nothing but its folder and a model: the one that was
 * evaluated, or another one to measure transfer.
 *
 * @throws {InputError} where folder or model cannot be read, or do not fit each other.
 */
export function verifyRun(options: {
  readonly folder: string;
  /** @default the one that was evaluated, by the path that the user named */
  readonly model?: ModelFile;
}): VerificationResult {
  const { folder } = options;
  const manifest = readEvaluationManifest(folder, 'the folder');
  const { evaluation: settings, epsilonText } = manifest;
  using model = openVerified(manifest, options.model ?? readModelFile(manifest.model));
  const isSameModel = isEvaluated(model, manifest);
  const {
    isFinished,
    images,
    correct: right,
  } = verifyFolder(folder, {
    manifest,
    classify: model.classify,
    shape: model.shape,
  });
  const failed = images.flatMap(({ isInBall, isInBox, isMisclassified, ...image }): FailedImage[] => {
    const because = [
      ...(isInBall ? [] : ['outside-ball' as const]),
      ...(isInBox ? [] : ['outside-box' as const]),
      ...(isMisclassified || !isSameModel ? [] : ['classified-rightly' as const]),
    ];
    return because.length === 0 ? [] : [{ ...image, because }];
  });
  const ofRight = images.filter(({ id }) => right.has(id));
  const fooled = (of: readonly VerifiedImage[]) => of.filter(({ isMisclassified }) => isMisclassified).length;
  return {
    satin: version,
    folder,
    isFinished,
    model: model.name,
    modelDigest: model.digest,
    isSameModel,
    data: settings.data,
    pixelsDigest: settings.pixelsDigest,
    norm: settings.norm,
    epsilon: settings.epsilon,
    epsilonText,
    images: images.length,
    verified: images.length - failed.length,
    fooled: fooled(images),
    ofRight: { images: ofRight.length, fooled: fooled(ofRight) },
    failed,
  };
}

/** The model that is asked; the evaluated file takes its images as it did then, unless a preprocessing is stated. */
function openVerified(manifest: EvaluationManifest, file: ModelFile): AttackableModel {
  const model = openModel(file);
  const before = manifest.evaluation.input;
  const isOpen = file.kind !== 'torchscript' || file.isStated || before === null;
  if (isOpen || model.digest !== manifest.evaluation.modelDigest) return model;
  model[Symbol.dispose]();
  return openModel({ ...file, preprocessing: before });
}

function isEvaluated(
  { digest, preprocessing }: AttackableModel,
  { evaluation }: EvaluationManifest,
): boolean {
  return (
    digest === evaluation.modelDigest &&
    JSON.stringify(plain(preprocessing)) === JSON.stringify(plain(evaluation.input))
  );
}

/** In one order of keys. */
function plain(preprocessing: Preprocessing | null) {
  if (preprocessing === null) return null;
  const { range, normalise } = preprocessing;
  return [range, normalise === null ? null : [normalise.mean, normalise.std]];
}

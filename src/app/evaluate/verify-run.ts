import type { EvaluationManifest } from '../../evaluation/folder/manifest.js';
import { readEvaluationManifest } from '../../evaluation/folder/manifest.js';
import { type VerifiedImage, verifyFolder } from '../../evaluation/folder/verify-folder.js';
import type { Preprocessing } from '../../models/preprocessing.js';
import { version } from '../../provenance/version.js';
import type { NormName } from '../../user-input/norm-name.js';
import { requireArgument } from '../../user-input/require-argument.js';
import { type AttackableModel, openModel } from '../model/open-model.js';
import { type ModelFile, readModelFile } from '../model/read-model-file.js';
import { evaluatedModelPath } from './evaluated-model.js';

/** The result of a verification as JSON. Its fields are stable: other programs read them. */
export interface VerificationResult {
  readonly satin: string;
  /** The folder of the evaluation. */
  readonly folder: string;
  /** Where the model classified the images, in float32. */
  readonly device: string;
  readonly isFinished: boolean;
  readonly model: string;
  readonly modelDigest: string;
  /** Whether it is the model that was evaluated; another model measures transfer. */
  readonly isSameModel: boolean;
  readonly data: string;
  readonly pixelsDigest: string;
  readonly norm: NormName;
  readonly epsilon: number;
  readonly epsilonText: string;
  /** How many adversarial images are stored. */
  readonly images: number;
  /** How many of them lie in the ball and in [0, 1] and, if it is the same model, are misclassified by it. */
  readonly verified: number;
  /** How many of them the model misclassifies. */
  readonly fooled: number;
  /** How many of them have an original that the model classifies correctly, and how many of those fool it. */
  readonly ofRight: { readonly images: number; readonly fooled: number };
  /** The images that fail verification. */
  readonly failed: readonly FailedImage[];
}

export interface FailedImage
  extends Pick<VerifiedImage, 'id' | 'file' | 'label' | 'attack' | 'distance' | 'pixels'> {
  readonly because: readonly ('outside-ball' | 'outside-box' | 'classified-rightly')[];
}

/**
 * Verifies the adversarial images of an evaluation from its folder and a model alone: the model that was evaluated, or
 * another one to measure transfer.
 *
 * @throws {InputError} if the folder or the model cannot be read, they do not fit each other, or the folder alone names a
 *   program.
 */
export function verifyRun(options: {
  readonly folder: string;
  /** @default the model that was evaluated, by the path in the folder; see `evaluatedModelPath` */
  readonly model?: ModelFile;
  /** `sha256:` of the evaluated model, from a run of one's own; required for a TorchScript file without `model`. */
  readonly digest?: string;
  /** @default 'cpu' */
  readonly device?: string;
  /** Told of clean and adversarial images together. */
  readonly onProgress?: (done: number, total: number) => void;
}): VerificationResult {
  requireArgument(options, 'options', 'verifyRun');
  const { folder, device = 'cpu', onProgress } = options;
  requireArgument(folder, 'text', 'the folder of verifyRun');
  const manifest = readEvaluationManifest(folder, 'the folder');
  const { evaluation: settings, epsilonText } = manifest;
  using model = openVerified(
    manifest,
    options.model ?? readModelFile(evaluatedModelPath(manifest, options)),
    device,
  );
  const isSameModel = isEvaluated(model, manifest);
  const {
    isFinished,
    images,
    correct: right,
  } = verifyFolder(folder, {
    manifest,
    classify: model.classify,
    device,
    shape: model.shape,
    ...(onProgress !== undefined && { onProgress }),
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
    device,
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

/** Opens the model; the evaluated file gets the preprocessing of the evaluation unless another one is stated. */
function openVerified(manifest: EvaluationManifest, file: ModelFile, device: string): AttackableModel {
  const model = openModel(file, { device });
  const before = manifest.evaluation.input;
  const isOpen = file.kind !== 'torchscript' || file.isStated || before === null;
  if (isOpen || model.digest !== manifest.evaluation.modelDigest) return model;
  model[Symbol.dispose]();
  return openModel({ ...file, preprocessing: before }, { device });
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

/** With a fixed order of keys. */
function plain(preprocessing: Preprocessing | null) {
  if (preprocessing === null) return null;
  const { range, normalise } = preprocessing;
  return [range, normalise === null ? null : [normalise.mean, normalise.std]];
}

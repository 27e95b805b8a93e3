import type { EvaluationManifest } from '../../evaluation/folder/manifest.js';
import { readEvaluationManifest } from '../../evaluation/folder/manifest.js';
import { type VerifiedImage, verifyFolder } from '../../evaluation/folder/verify-folder.js';
import { modelKind } from '../../models/model-kind.js';
import type { Preprocessing } from '../../models/preprocessing.js';
import { version } from '../../provenance/version.js';
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
  readonly model?: string;
  /** What a TorchScript model takes. @default what the evaluated one was told to take, for that one */
  readonly input?: Preprocessing | null;
}): VerificationResult {
  const { folder } = options;
  const manifest = readEvaluationManifest(folder, 'the folder');
  const { evaluation: settings, epsilonText } = manifest;
  using model = openVerified(manifest, options);
  const isSameModel = isEvaluated(model, manifest);
  const { isFinished, images, right } = verifyFolder(folder, {
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

/** The model that is asked; the evaluated file takes its images as it did then, unless another form is stated. */
function openVerified(
  manifest: EvaluationManifest,
  {
    model: path = manifest.model,
    input = null,
  }: { readonly model?: string; readonly input?: Preprocessing | null },
): AttackableModel {
  const model = openModel(path, { input });
  const before = manifest.evaluation.input;
  const isStated = input !== null || before === null || modelKind(path) !== 'torchscript';
  if (isStated || model.digest !== manifest.evaluation.modelDigest) return model;
  model[Symbol.dispose]();
  return openModel(path, { input: before });
}

function isEvaluated({ digest, input }: AttackableModel, { evaluation }: EvaluationManifest): boolean {
  return (
    digest === evaluation.modelDigest &&
    JSON.stringify(plain(input)) === JSON.stringify(plain(evaluation.input))
  );
}

/** In one order of keys. */
function plain(input: Preprocessing | null) {
  return input === null
    ? null
    : [input.range, input.normalise === null ? null : [input.normalise.mean, input.normalise.std]];
}

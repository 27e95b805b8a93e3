import { InputError } from '../../errors.js';
import type { EvaluationManifest } from '../../evaluation/folder/manifest.js';
import { fileDigest } from '../../files/digest.js';
import { modelKind } from '../../models/model-kind.js';

/**
 * The path of the model that an evaluation's folder names. The folder may be somebody else's, and a TorchScript file is a
 * program: it is only used with the digest that the user knows from a run of their own. Does not load the engine.
 *
 * @throws {InputError} for a TorchScript file without `digest`, and for a model with another one.
 */
export function evaluatedModelPath(
  { model: path, evaluation }: Pick<EvaluationManifest, 'model' | 'evaluation'>,
  { digest }: { readonly digest?: string | undefined },
): string {
  const isProgram = modelKind(path) === 'torchscript';
  if (digest === undefined && isProgram)
    throw new InputError(
      'program-not-named',
      `Expected \`model\`, or the \`digest\` of your own run: the folder names ${path}, which is a program and not run because a folder says so.`,
    );
  const found = isProgram ? fileDigest(path) : evaluation.modelDigest;
  if (digest !== undefined && found !== digest)
    throw InputError.expected(`the digest of ${path}, ${found},`, '`digest`', digest);
  return path;
}

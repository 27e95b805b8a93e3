import { basename, join } from 'node:path';
import { InputError } from '../../errors.js';
import { readFinishedEvaluation } from '../../evaluation/folder/finished.js';
import { readEvaluationManifest } from '../../evaluation/folder/manifest.js';
import type { EvaluationResult } from '../../evaluation/result.js';
import { writeFileDurably, writeJsonDurably } from '../../files/durable-file.js';
import { makeFolder } from '../../files/make-folder.js';
import type { OnExport } from '../../models/on-export.js';
import { exportTorchScript } from '../../models/torchscript-export.js';
import { parseRecipe, type Recipe } from '../../recipe/recipe.js';
import { writeWeights } from '../../runs/checkpoint.js';
import { isRunFolder, readManifest, readStoredRecipe, requireUnused } from '../../runs/run-folder.js';
import { toArrays } from '../../weights/module-weights.js';
import { checkpointModel } from '../model/checkpoint-model.js';
import { importWeights } from '../model/import-weights.js';
import type { ModelFile } from '../model/read-model-file.js';
import { modelCard } from './model-card.js';
import { type RobustBenchFacts, robustBenchFiles } from './robustbench.js';
import { timmConfig } from './timm-config.js';

export interface PublishOptions {
  readonly format: 'huggingface' | 'robustbench';
  /** The folder to write, which must not exist or be empty. */
  readonly out: string;
  /** A finished evaluation of this model. @default none */
  readonly evaluation?: string | undefined;
  /** Name of the licence, as the hub knows it: `mit`. @default none is stated */
  readonly license?: string | undefined;
  /** What RobustBench's table shows of a model. */
  readonly paper?: Partial<RobustBenchFacts>;
  readonly onProgress?: OnExport;
}

/**
 * Writes a folder for the Hugging Face hub (weights as safetensors, `config.json`, a model card with the evaluation's table; loads
 * in timm where timm has the network, and has TorchScript beside it elsewhere), or an entry for RobustBench.
 *
 * @returns the files written.
 * @throws {InputError} for a TorchScript file, for a folder that is in use, for an evaluation of another model, and for RobustBench
 *   without a finished evaluation by AutoAttack.
 */
export function publishModel(file: ModelFile, options: PublishOptions): string[] {
  const { format, out, evaluation: folder, license, onProgress } = options;
  if (file.kind === 'torchscript')
    throw InputError.expected(
      'a model of Satin or a state dict',
      'the model',
      file.path,
      'It is TorchScript.',
    );
  requireUnused(out);
  if (file.kind === 'weights' && folder !== undefined)
    throw InputError.expected(
      'a model that the evaluation names by its digest',
      '`evaluation`',
      folder,
      'Weights without a network have none: export them as safetensors, evaluate that file, and publish it.',
    );
  const evaluation = folder === undefined ? null : readResult(folder);
  onProgress?.({ label: 'load the weights', done: 0, total: 1 });
  const { model, digest } =
    file.kind === 'satin'
      ? { model: checkpointModel(file.checkpoint), digest: file.checkpoint.weightsDigest }
      : { ...importWeights(file.weights, file), digest: null };
  using owned = model;
  const { description } = owned;
  if (evaluation !== null && digest !== null && evaluation.modelDigest !== digest)
    throw InputError.expected(
      `an evaluation of ${file.path} (${digest})`,
      '`evaluation`',
      `one of ${evaluation.model} (${evaluation.modelDigest})`,
    );
  const run = file.kind === 'satin' && isRunFolder(file.path) ? file.path : null;
  const recipe: Recipe | null =
    run === null ? null : parseRecipe(readStoredRecipe(run), `the recipe of the run ${run}`);
  const name = basename(out);
  const config = timmConfig(description);
  const isTimm = format === 'huggingface' && config !== null;
  const others =
    format === 'robustbench'
      ? robustBenchFiles({ name, evaluation, description, paper: options.paper ?? {} })
      : new Map([
          [
            'README.md',
            modelCard({
              name,
              license: license ?? null,
              description,
              recipe,
              commit: run === null ? null : readManifest(run).commit,
              evaluation,
              isTimm,
            }),
          ],
        ]);
  makeFolder(out);
  const written: string[] = [];
  const place = (file: string) => {
    written.push(join(out, file));
    return join(out, file);
  };
  onProgress?.({ label: 'write the weights', done: 0, total: 1 });
  writeWeights(place('model.safetensors'), { model: description, weights: toArrays(owned.network.state()) });
  if (!isTimm) exportTorchScript(owned, place('model.pt'), onProgress);
  if (format === 'huggingface') writeJsonDurably(place('config.json'), config ?? { satin: description });
  for (const [file, text] of others) writeFileDurably(place(file), [Buffer.from(text)]);
  return written;
}

function readResult(folder: string): EvaluationResult {
  const manifest = readEvaluationManifest(folder, '`evaluation`');
  return readFinishedEvaluation(folder, manifest).result;
}

import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { cardName } from '../../engine/device.js';
import { InputError } from '../../errors.js';
import { isFinishedEvaluation } from '../../evaluation/folder/evaluation-folder.js';
import { type FinishedEvaluation, readFinishedEvaluation } from '../../evaluation/folder/finished.js';
import {
  type EvaluationManifest,
  type EvaluationSettings,
  isEvaluationFolder,
  readEvaluationManifest,
} from '../../evaluation/folder/manifest.js';
import { newEvaluationFolder } from '../../evaluation/folder/new-folder.js';
import { storedEvaluationFolder } from '../../evaluation/folder/resume-folder.js';
import { type EvaluateRunOptions, evaluateRun } from '../evaluate/evaluate-run.js';
import { evaluationSettings } from '../evaluate/evaluation-settings.js';

/** A finished evaluation that the user named for a report. */
export interface StatedEvaluation {
  readonly path: string;
  readonly manifest: EvaluationManifest;
}

/**
 * Reads the manifests of evaluations for a report.
 *
 * @throws {InputError} if one is unfinished, or they differ in images, threat model, seed or attacks.
 */
export function statedEvaluations(paths: readonly string[]): StatedEvaluation[] {
  const stated = paths.map((path) => {
    const manifest = readEvaluationManifest(path, 'the report');
    if (!isFinishedEvaluation(path))
      throw InputError.expected(
        'a finished evaluation',
        'the report',
        path,
        'Finish it first, with `resume`.',
      );
    return { path, manifest };
  });
  const [first, ...others] = stated;
  for (const { path, manifest } of others)
    for (const key of comparable)
      if (!isDeepStrictEqual(manifest.evaluation[key], first!.manifest.evaluation[key]))
        throw InputError.expected(
          `the ${key} of ${first!.path}`,
          `the evaluation ${path}`,
          manifest.evaluation[key],
          'Create a separate report for each.',
        );
  return stated;
}

/** What must be equal in two results for them to be compared. */
const comparable = ['pixelsDigest', 'norm', 'epsilon', 'seed', 'attacks', 'surrogates', 'precision'] as const;

/**
 * The result of an evaluation of a run: one that was stated or is kept in the run folder, under `evaluations/`, with the
 * same model, images, threat model, seed and attacks; otherwise it is measured, and kept there as it proceeds, so that
 * an interrupted report continues. A run folder that cannot be written to keeps nothing.
 *
 * @throws {InterruptedError} if interrupted.
 */
export async function keptOrMeasured(
  options: EvaluateRunOptions,
  { run, stated }: { readonly run: string; readonly stated: readonly StatedEvaluation[] },
): Promise<FinishedEvaluation> {
  const settings = evaluationSettings(options);
  const done = [...stated, ...keptIn(run)].find(
    ({ path, manifest: { evaluation } }) => isSame(evaluation, settings) && isFinishedEvaluation(path),
  );
  if (done !== undefined) return readFinishedEvaluation(done.path, done.manifest);
  if (!isWritable(run)) return await evaluateRun(options);
  const path = folderOf(run, settings, options.model.device);
  if (isEvaluationFolder(path))
    return await evaluateRun({ ...options, folder: storedEvaluationFolder(path) });
  using folder = newEvaluationFolder(path);
  return await evaluateRun({ ...options, folder });
}

function isSame(one: EvaluationSettings, other: EvaluationSettings): boolean {
  return (
    one.modelDigest === other.modelDigest &&
    comparable.every((key) => isDeepStrictEqual(one[key], other[key]))
  );
}

/** The evaluations in a run folder, finished or not. */
function keptIn(run: string): StatedEvaluation[] {
  const folder = join(run, 'evaluations');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter(isEvaluationFolder)
    .map((path) => ({ path, manifest: readEvaluationManifest(path, 'the report') }));
}

/** A name to recognise it by, and a digest to tell it from others. An unfinished one continues only on its device. */
function folderOf(run: string, settings: EvaluationSettings, device: string): string {
  const digest = createHash('sha256').update(JSON.stringify([settings, device, cardName(device)]));
  const attacks = settings.attacks.slice(0, 4).join('+');
  const name = `${attacks}-${settings.examples}-${digest.digest('hex').slice(0, 12)}`;
  return join(run, 'evaluations', name);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

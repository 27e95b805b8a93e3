import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { linesFile, resultFile } from '../evaluation/folder/evaluation-folder.js';
import { readResult } from '../evaluation/folder/finished.js';
import { type EvaluationManifest, readEvaluationManifest } from '../evaluation/folder/manifest.js';
import { type EvaluationLine, parseLines } from '../evaluation/folder/verdict-lines.js';
import type { EvaluationResult } from '../evaluation/result.js';
import type { EvaluationSummary } from './api.js';
import { fileInside, resolveInside } from './inside.js';
import { threatText } from './summarise-run.js';

/** No file of an evaluation of 100,000 images, other than its images, is larger. */
const limit = 2 ** 26;

/** An evaluation folder, finished or not. */
export interface StoredEvaluation {
  readonly id: string;
  readonly path: string;
  readonly manifest: EvaluationManifest;
  /** null until it is finished. */
  readonly result: EvaluationResult | null;
}

/**
 * Reads the manifest and, if there is one, the result of an evaluation.
 *
 * @throws {NotServed} if it is gone.
 * @throws {InputError} if it is damaged.
 */
export async function readStored(root: string, id: string): Promise<StoredEvaluation> {
  const path = await resolveInside(root, id);
  await fileInside(root, path, { name: 'manifest.json', limit });
  const manifest = readEvaluationManifest(path, 'the page');
  const isFinished = await fileInside(root, path, { name: resultFile, limit }).then(
    () => true,
    () => false,
  );
  return { id, path, manifest, result: isFinished ? readResult(path, manifest) : null };
}

/** The verdicts so far. */
export async function readVerdicts(root: string, { path }: StoredEvaluation): Promise<EvaluationLine[]> {
  const file = await fileInside(root, path, { name: linesFile, limit });
  return parseLines(await readFile(file, 'utf8'), file);
}

export function summariseEvaluation({ id, manifest, result }: StoredEvaluation): EvaluationSummary {
  const { evaluation, epsilonText, model, started } = manifest;
  return {
    id,
    model,
    data: evaluation.data,
    threat: threatText(evaluation.norm, epsilonText),
    epsilon: evaluation.epsilon,
    attacks: evaluation.attacks,
    examples: evaluation.examples,
    isFinished: result !== null,
    clean: result?.clean ?? null,
    robust: result?.robust ?? null,
    started,
  };
}

/** Stored evaluations of the list, each read again when its files change. */
export class FollowedEvaluations {
  readonly #root: string;
  readonly #known = new Map<
    string,
    { readonly stamp: string; readonly summary: EvaluationSummary | undefined }
  >();

  constructor(root: string) {
    this.#root = root;
  }

  /** undefined for a folder that is damaged or gone. */
  async summary(id: string): Promise<EvaluationSummary | undefined> {
    const stamps = await Promise.all(
      ['manifest.json', resultFile].map((name) =>
        stat(join(this.#root, id, name)).then(
          ({ mtimeMs, size }) => `${mtimeMs}/${size}`,
          () => '',
        ),
      ),
    );
    const stamp = stamps.join();
    const known = this.#known.get(id);
    if (known?.stamp === stamp) return known.summary;
    const summary = await readStored(this.#root, id).then(summariseEvaluation, () => undefined);
    this.#known.set(id, { stamp, summary });
    return summary;
  }

  /** Forgets what is not listed any more. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
  }
}

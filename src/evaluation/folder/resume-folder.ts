import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import { InputError } from '../../errors.js';
import { removeTemporaryFiles, writeFileDurably } from '../../files/durable-file.js';
import { acquireLock } from '../../files/lock.js';
import { requireArgument } from '../../user-input/require-argument.js';
import {
  completeLines,
  type EvaluationFolder,
  imageBytes,
  linesFile,
  openEvaluationFolder,
} from './evaluation-folder.js';
import { foundBytes, foundFile } from './images.js';
import { type EvaluationManifest, readEvaluationManifest, requireSameEvaluation } from './manifest.js';

/** The folder of an evaluation to resume. */
export interface StoredEvaluationFolder {
  readonly kind: 'stored';
  readonly path: string;
  readonly manifest: EvaluationManifest;
  /**
   * Opens the folder at the last complete verdict; the evaluation may already be finished.
   *
   * @throws {InputError} if `settings` differ (naming the first difference), or another process uses the folder.
   */
  resume(options: {
    readonly data: Dataset;
    readonly settings: EvaluationManifest['evaluation'];
    /** The batch size if given; with another size the results would not be bit-identical. */
    readonly batch: number | 'auto';
  }): EvaluationFolder;
}

/** @throws {InputError} if the folder is not an evaluation folder. */
export function storedEvaluationFolder(path: string): StoredEvaluationFolder {
  requireArgument(path, 'text', 'the path of an evaluation folder');
  const manifest = readEvaluationManifest(path, '`resume`');
  return {
    kind: 'stored',
    path,
    manifest,
    resume({ data, settings, batch }) {
      requireSameEvaluation(path, { before: manifest.evaluation, now: settings });
      const { chosen } = manifest;
      if (batch !== 'auto' && batch !== chosen.batch)
        throw InputError.expected(
          `${chosen.batch}, as when the evaluation started,`,
          '`batch`',
          batch,
          'Omit it.',
        );
      const lock = acquireLock(path);
      try {
        removeTemporaryFiles(path);
        const images = foundBytes(path, data.shape);
        const { lines, bytes, count } = completeLines(path, Math.floor(images.length / imageBytes(data)));
        // Truncate both files to the entries that are complete in both.
        truncateSync(join(path, linesFile), bytes);
        writeFileDurably(join(path, foundFile), [images.subarray(0, count * imageBytes(data))]);
        return openEvaluationFolder({ path, data, manifest, lines, release: lock.release });
      } catch (error) {
        lock.release();
        throw error;
      }
    },
  };
}

import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../data/dataset.js';
import { InputError } from '../../errors.js';
import { removeTemporaryFiles, writeFileDurably } from '../../files/durable-file.js';
import { acquireLock } from '../../files/lock.js';
import {
  type EvaluationFolder,
  imageBytes,
  linesFile,
  openEvaluationFolder,
  wholeLines,
} from './evaluation-folder.js';
import { foundBytes, foundFile } from './images.js';
import { type EvaluationManifest, readEvaluationManifest, requireSameEvaluation } from './manifest.js';

/** The folder of an evaluation that is to be resumed. */
export interface StoredEvaluationFolder {
  readonly kind: 'stored';
  readonly path: string;
  readonly manifest: EvaluationManifest;
  /**
   * Opens it where the evaluation ended, or finds that all is done.
   *
   * @throws {InputError} where `settings` differ (naming the first that does), or another process writes it.
   */
  resume(options: {
    readonly data: Dataset;
    readonly settings: EvaluationManifest['evaluation'];
    /** Where somebody states it; with another size the numbers would not repeat to the bit. */
    readonly batch: number | 'auto';
  }): EvaluationFolder;
}

/** @throws {InputError} where the folder is none of an evaluation. */
export function storedEvaluationFolder(path: string): StoredEvaluationFolder {
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
          'Leave it out.',
        );
      const lock = acquireLock(path);
      try {
        removeTemporaryFiles(path);
        const images = foundBytes(path);
        const { lines, bytes, count } = wholeLines(path, Math.floor(images.length / imageBytes(data)));
        // Both files end behind what is whole in both.
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

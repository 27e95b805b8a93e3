import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { linesFile, resultFile } from '../evaluation/folder/evaluation-folder.js';
import type { EvaluationLine } from '../evaluation/folder/verdict-lines.js';
import { type FoundExample, foundExamples } from './found-examples.js';
import { resolveInside } from './inside.js';
import { readStored, readVerdicts, type StoredEvaluation } from './stored-evaluation.js';

/** An evaluation with its verdicts, and where its adversarial images lie. */
export interface OpenedEvaluation {
  readonly stored: StoredEvaluation;
  readonly lines: readonly EvaluationLine[];
  readonly found: readonly FoundExample[];
}

/** Evaluations kept in memory, without their images. */
const kept = 8;

/** Opens evaluations; the last few are kept until their files change. */
export class OpenedEvaluations {
  readonly #root: string;
  readonly #opened = new Map<string, { readonly stamp: string; readonly value: Promise<OpenedEvaluation> }>();

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * @throws {NotServed} if there is no evaluation of that name.
   * @throws {InputError} if it is damaged.
   */
  async get(id: string): Promise<OpenedEvaluation> {
    const stamp = await this.#stampOf(await resolveInside(this.#root, id));
    const known = this.#opened.get(id);
    this.#opened.delete(id);
    const value = known?.stamp === stamp ? known.value : this.#open(id);
    this.#opened.set(id, { stamp, value });
    const [oldest] = this.#opened.keys();
    if (this.#opened.size > kept && oldest !== undefined) this.#opened.delete(oldest);
    // What failed is tried again: its files may be half-written.
    value.catch(() => this.#opened.delete(id));
    return value;
  }

  async #open(id: string): Promise<OpenedEvaluation> {
    const stored = await readStored(this.#root, id);
    const lines = await readVerdicts(this.#root, stored);
    return { stored, lines, found: await foundExamples(this.#root, stored, lines) };
  }

  async #stampOf(path: string): Promise<string> {
    const stamps = ['manifest.json', linesFile, resultFile].map((name) =>
      stat(join(path, name)).then(
        ({ mtimeMs, size }) => `${mtimeMs}/${size}`,
        () => '',
      ),
    );
    return (await Promise.all(stamps)).join();
  }
}

import { stringify } from 'yaml';
import { warmupFactor } from '../training/objectives/training-attack.js';
import type { Comparison, Curves, RunDetails, RunSummary } from './api.js';
import type { Catalogue } from './catalogue.js';
import { differences } from './differences.js';
import { fileInside, resolveInside } from './inside.js';
import { RunIndex } from './log/run-index.js';
import { NotServed } from './not-served.js';
import { leaves, valueAt } from './plain-data.js';
import { readPlain } from './summarise-run.js';

/** Logs kept in memory: half a megabyte each. */
const kept = 32;
/** An answer waits no longer for the rest of a log; the page asks again. */
const patience = 250;
/** Reading a long log goes on in the background, in pieces that let other requests through. */
const piece = 50;

/** The logs of runs whose pages were opened, each read once and then followed. */
export class OpenedRuns {
  readonly #root: string;
  readonly #catalogue: Catalogue;
  readonly #opened = new Map<string, RunIndex>();
  readonly #reading = new Set<string>();

  constructor(root: string, catalogue: Catalogue) {
    this.#root = root;
    this.#catalogue = catalogue;
  }

  async details(id: string): Promise<RunDetails> {
    const { path, index, summary } = await this.#open(id);
    const recipe = await readPlain(this.#root, path, 'recipe.json');
    const manifest = await readPlain(this.#root, path, 'manifest.json');
    return {
      summary,
      recipe: stringify(recipe ?? null),
      provenance: [...leaves(manifest)],
      parameters: index.start?.parameters ?? null,
      epochs: index.epochs,
      messages: index.messages,
      brokenLines: index.brokenLines,
      evaluations: this.#catalogue.evaluations.filter((each) => belongsTo(each.id, id)),
    };
  }

  async curves(
    id: string,
    range: { readonly from: number; readonly to: number; readonly width: number },
  ): Promise<Curves> {
    const { path, index } = await this.#open(id);
    const recipe = await readPlain(this.#root, path, 'recipe.json');
    const curves = await index.curves(range);
    const stepsPerEpoch = index.start?.stepsPerEpoch ?? null;
    return {
      ...curves,
      epsilon: epsilons(recipe, curves.step, stepsPerEpoch),
      stepsPerEpoch,
      read: index.share,
    };
  }

  async comparison(ids: readonly string[]): Promise<Comparison> {
    const opened = await Promise.all(ids.map((id) => this.#open(id)));
    const plain = (name: string) => Promise.all(opened.map(({ path }) => readPlain(this.#root, path, name)));
    return {
      runs: opened.map(({ summary }) => summary),
      recipe: differences(await plain('recipe.json')),
      provenance: differences(await plain('manifest.json')),
      epochs: opened.map(({ index }) => index.epochs),
    };
  }

  async #open(
    id: string,
  ): Promise<{ readonly path: string; readonly index: RunIndex; readonly summary: RunSummary }> {
    const path = await resolveInside(this.#root, id);
    await fileInside(this.#root, path, { name: 'events.jsonl' });
    if (this.#catalogue.run(id) === undefined) await this.#catalogue.update({ isSearched: true });
    const summary = this.#catalogue.run(id);
    if (summary === undefined) throw new NotServed('run of that name');
    const index = this.#opened.get(id) ?? new RunIndex(path);
    this.#opened.delete(id);
    this.#opened.set(id, index);
    const [oldest] = this.#opened.keys();
    if (this.#opened.size > kept && oldest !== undefined) this.#opened.delete(oldest);
    if (!(await index.catchUp(patience))) void this.#readOn(id, index);
    return { path, index, summary };
  }

  async #readOn(id: string, index: RunIndex): Promise<void> {
    if (this.#reading.has(id)) return;
    this.#reading.add(id);
    try {
      while (this.#opened.get(id) === index && !(await index.catchUp(piece)))
        await new Promise((resolve) => setImmediate(resolve));
    } finally {
      this.#reading.delete(id);
    }
  }
}

/** Whether an evaluation lies in the folder of a run, or beside it as in a study. */
function belongsTo(evaluation: string, run: string): boolean {
  const beside = run.includes('/') ? `${run.slice(0, run.lastIndexOf('/'))}/evaluation` : undefined;
  return run === '.' || evaluation.startsWith(`${run}/`) || evaluation === beside;
}

/** ε of the training attack at each step, with its warm-up; empty for training without an attack. */
function epsilons(recipe: unknown, steps: readonly number[], stepsPerEpoch: number | null): number[] {
  const epsilon = valueAt(recipe, 'threat.epsilon');
  const attack = valueAt(recipe, 'training.attack');
  if (typeof epsilon !== 'number' || attack === undefined || attack === null || stepsPerEpoch === null)
    return [];
  const warmup = valueAt(attack, 'epsilonWarmup');
  const epochs = typeof warmup === 'number' ? warmup : 0;
  return steps.map((step) => epsilon * warmupFactor({ step: Math.max(0, step - 1), stepsPerEpoch }, epochs));
}

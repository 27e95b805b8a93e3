import { EventEmitter } from 'node:events';
import type { DemoSummary, EvaluationSummary, Listing, ListingChange, RunSummary } from './api.js';
import { summariseDemo } from './demos.js';
import { findFolders } from './find-folders.js';
import { inBatches } from './in-batches.js';
import { FollowedEvaluations } from './stored-evaluation.js';
import { FollowedRun } from './summarise-run.js';

/** Of each look, for the parts of long logs that are only searched for epochs. */
const readingMilliseconds = 150;
/** Looks after which the folder is searched again for new runs. */
const searchEvery = 3;

/**
 * The runs, evaluations and demos of a folder, brought up to date when asked, and again and again while somebody listens. Files are
 * polled, since network file systems report no changes.
 */
export class Catalogue {
  readonly #root: string;
  readonly #pollMilliseconds: number;
  readonly #evaluations: FollowedEvaluations;
  #runs = new Map<string, FollowedRun>();
  #runSummaries = new Map<string, RunSummary>();
  #evaluationSummaries = new Map<string, EvaluationSummary>();
  #demoSummaries = new Map<string, DemoSummary>();
  #evaluationIds: readonly string[] = [];
  #demoIds: readonly string[] = [];
  #isCut = false;
  #updating: { readonly done: Promise<void>; readonly isSearched: boolean } | undefined;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;

  /** @param pollMilliseconds between two looks at the runs while somebody listens */
  constructor(root: string, pollMilliseconds: number) {
    this.#root = root;
    this.#pollMilliseconds = pollMilliseconds;
    this.#evaluations = new FollowedEvaluations(root);
  }

  async listing(): Promise<Listing> {
    await this.update({ isSearched: true });
    return {
      folder: this.#root,
      runs: [...this.#runSummaries.values()],
      evaluations: [...this.#evaluationSummaries.values()],
      demos: [...this.#demoSummaries.values()],
      isCut: this.#isCut,
    };
  }

  get evaluations(): readonly EvaluationSummary[] {
    return [...this.#evaluationSummaries.values()];
  }

  run(id: string): RunSummary | undefined {
    return this.#runSummaries.get(id);
  }

  /** Calls back with what changed; returns what ends it. */
  listen(onChange: (change: ListingChange) => void): () => void {
    this.#changes.on('change', onChange);
    this.#timer ??= setInterval(() => {
      const isSearched = this.#looks++ % searchEvery === 0;
      this.update({ isSearched }).catch(() => undefined);
    }, this.#pollMilliseconds);
    return () => {
      this.#changes.off('change', onChange);
      if (this.#changes.listenerCount('change') > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /**
   * Looks at every run again, and with `isSearched` for new ones; callers at the same time share one look that does what
   * they ask for.
   */
  update({ isSearched }: { readonly isSearched: boolean }): Promise<void> {
    const before = this.#updating;
    if (before !== undefined && (before.isSearched || !isSearched)) return before.done;
    const done = (before?.done ?? Promise.resolve())
      .then(() => this.#update({ isSearched }))
      .finally(() => {
        if (this.#updating?.done === done) this.#updating = undefined;
      });
    this.#updating = { done, isSearched };
    return done;
  }

  async #update({ isSearched }: { readonly isSearched: boolean }): Promise<void> {
    if (isSearched || this.#runs.size === 0) {
      const { runs, evaluations, demos, isCut } = await findFolders(this.#root);
      this.#runs = new Map(runs.map((id) => [id, this.#runs.get(id) ?? new FollowedRun(this.#root, id)]));
      this.#evaluationIds = evaluations;
      this.#demoIds = demos;
      this.#isCut = isCut;
      this.#evaluations.keepOnly(new Set(evaluations));
    }
    const runs = present(
      await inBatches([...this.#runs], async ([id, run]) => [id, await run.summary()] as const),
    );
    // The first list is not kept waiting.
    if (this.#runSummaries.size > 0) await this.#readOn(runs);
    const evaluations = present(
      await inBatches(this.#evaluationIds, async (id) => [id, await this.#evaluations.summary(id)] as const),
    );
    const demos = present(
      await inBatches(this.#demoIds, async (id) => [id, await summariseDemo(this.#root, id)] as const),
    );
    const change: ListingChange = {
      runs: changed(this.#runSummaries, runs),
      evaluations: changed(this.#evaluationSummaries, evaluations),
      demos: changed(this.#demoSummaries, demos),
      gone: [
        ...gone(this.#runSummaries, runs),
        ...gone(this.#evaluationSummaries, evaluations),
        ...gone(this.#demoSummaries, demos),
      ],
    };
    this.#runSummaries = runs;
    this.#evaluationSummaries = evaluations;
    this.#demoSummaries = demos;
    if (Object.values(change).some(({ length }) => length > 0)) this.#changes.emit('change', change);
  }

  /** Reads on in long logs whose epochs are not all known, for a moment. */
  async #readOn(runs: Map<string, RunSummary>): Promise<void> {
    const until = performance.now() + readingMilliseconds;
    for (const [id, run] of this.#runs)
      while (runs.get(id)?.isWhole === false && performance.now() < until) {
        const summary = await run.summary();
        if (summary === undefined) break;
        runs.set(id, summary);
      }
  }
}

function present<T>(entries: readonly (readonly [string, T | undefined])[]): Map<string, T> {
  return new Map(entries.flatMap(([id, value]) => (value === undefined ? [] : [[id, value] as const])));
}

function changed<T>(before: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>): T[] {
  return [...now].flatMap(([id, value]) =>
    JSON.stringify(before.get(id)) === JSON.stringify(value) ? [] : [value],
  );
}

function gone(before: ReadonlyMap<string, unknown>, now: ReadonlyMap<string, unknown>): string[] {
  return [...before.keys()].filter((id) => !now.has(id));
}

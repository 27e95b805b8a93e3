import type { Attack, Threat } from '../attacks/attack.js';
import type { DatasetTensors } from '../data/dataset-tensors.js';
import { type AdversarialRow, attackBatch } from './attack-batch.js';
import { batches } from './batches.js';
import type { PauseClock } from './interruption.js';
import type { Ledger, Part } from './ledger.js';
import type { ModelUnderTest, PassCount } from './model-under-test.js';
import { type EvaluationProgress, type Pace, stepsOf, workOf } from './progress.js';
import { requireInBall } from './require-in-ball.js';

export interface AttackDatasetOptions {
  /** All attacks of the evaluation; an example that none of them broke counts as robust. */
  readonly attacks: readonly Attack[];
  readonly threat: Threat;
  readonly seed: number;
  readonly batch: number;
  readonly checkEvery?: number;
  readonly onProgress?: (progress: EvaluationProgress) => void;
  readonly ledger: Ledger;
  readonly clock: PauseClock;
  readonly pace: Pace;
  readonly attack: Attack;
  readonly part: Part;
  readonly indices: readonly number[];
  /** Work of the attacks that follow this one, given the number of robust examples left. */
  readonly rest: (left: number) => number;
}

/**
 * Runs one attack on the examples at `indices`, batch by batch; verdicts are recorded in the ledger as they are known.
 */
export async function attackDataset(
  subject: ModelUnderTest,
  data: DatasetTensors,
  options: AttackDatasetOptions,
): Promise<void> {
  const { ledger, clock, pace, attack, attacks, part, rest, threat, seed, batch, onProgress } = options;
  const classes = data.dataset.classes.length;
  const { name } = attack;
  const names = attacks.map((each) => each.name);
  const [steps, work] = [stepsOf(attack, classes), workOf(attack, classes)];
  const total = options.indices.length;
  let done = 0;

  const reportProgress = (batchSize: number, broken: number, share: number) => {
    const left = ledger.correct().filter((index) => ledger.brokenBy(names, index) === null).length;
    // Within the batch, broken examples are done; of the others, the completed fraction of the steps.
    const inside = broken + (batchSize - broken) * share;
    onProgress?.({
      stage: part === 'alone' ? `${name} alone` : name,
      done: Math.round(done + inside),
      total,
      robust: left / data.count,
      ...pace.secondsFor(work * (total - done - inside) + rest(left)),
    });
  };

  const known = ledger.batches(name, part);
  for (const [batchIndex, indices] of [...batches(options.indices, batch)].entries()) {
    if (batchIndex < known) {
      done += indices.length;
      continue;
    }
    const examples = data.batch(indices);
    const passes: PassCount = { forwards: 0, backwards: 0 };
    let spent: PassCount = { ...passes };
    const began = performance.now();
    let recorded = 0;
    const record = (broken: readonly AdversarialRow[]) => {
      const fresh = broken.slice(recorded);
      recorded = broken.length;
      requireInBall(examples.x, fresh, { attack: name, threat });
      ledger.add(
        fresh.map(({ row, image }) => ({ type: 'broken', attack: name, index: indices[row]!, image })),
      );
    };
    const blind = new Set<number>();
    const search = attackBatch(subject, examples, {
      onBlind: (rows) => {
        for (const row of rows) blind.add(row);
      },
      attack,
      threat,
      seed,
      classes,
      count: passes,
      ...(options.checkEvery !== undefined && { checkEvery: options.checkEvery }),
    });
    try {
      let state = search.next();
      for (let step = 1; state.done !== true; state = search.next(), step++) {
        record(state.value);
        if (!clock.isDue()) continue;
        pace.spend(passes, spent);
        spent = { ...passes };
        reportProgress(indices.length, recorded, Math.min(1, step / steps));
        await clock.pause();
      }
      record(state.value);
    } finally {
      search.return([]); // frees its tensors if it was interrupted
      examples.x.dispose();
      examples.labels.dispose();
    }
    ledger.add([
      // ignored for broken examples
      ...indices.map((index, row) => ({
        type: 'stood' as const,
        attack: name,
        index,
        ...(blind.has(row) && { blind: true as const }),
      })),
      { type: 'cost', stage: name, part, ...passes, seconds: (performance.now() - began) / 1000 },
    ]);
    pace.spend(passes, spent);
    done += indices.length;
    reportProgress(0, 0, 0);
    await clock.pause();
  }
}

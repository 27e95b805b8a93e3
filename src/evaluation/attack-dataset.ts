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
  /** All of the evaluation; what none of them broke stands. */
  readonly attacks: readonly Attack[];
  readonly threat: Threat;
  readonly seed: number;
  readonly batch: number;
  readonly onProgress?: (progress: EvaluationProgress) => void;
  readonly ledger: Ledger;
  readonly clock: PauseClock;
  readonly pace: Pace;
  readonly attack: Attack;
  readonly part: Part;
  readonly places: readonly number[];
  /** The work of what comes after this attack, where so many examples are left standing. */
  readonly rest: (left: number) => number;
}

/** One attack on the examples at `places`, batch after batch; each verdict goes to the ledger as it falls. */
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
  const total = options.places.length;
  let done = 0;

  const tell = (batchSize: number, broken: number, share: number) => {
    const left = ledger.right().filter((place) => ledger.brokenBy(names, place) === null).length;
    // Within a batch, what is broken is done, and of the others the share of the steps that are.
    const inside = broken + (batchSize - broken) * share;
    onProgress?.({
      stage: part === 'alone' ? `${name} alone` : name,
      done: Math.round(done + inside),
      total,
      standing: left / data.count,
      ...pace.secondsFor(work * (total - done - inside) + rest(left)),
    });
  };

  const known = ledger.batches(name, part);
  for (const [index, places] of [...batches(options.places, batch)].entries()) {
    if (index < known) {
      done += places.length;
      continue;
    }
    const examples = data.batch(places);
    const passes: PassCount = { forwards: 0, backwards: 0 };
    let spent: PassCount = { ...passes };
    const began = performance.now();
    let recorded = 0;
    const record = (broken: readonly AdversarialRow[]) => {
      const fresh = broken.slice(recorded);
      recorded = broken.length;
      requireInBall(examples.x, fresh, { attack: name, threat });
      ledger.add(
        fresh.map(({ row, image }) => ({ type: 'broken', attack: name, place: places[row]!, image })),
      );
    };
    const search = attackBatch(subject, examples, { attack, threat, seed, classes, count: passes });
    try {
      let state = search.next();
      for (let step = 1; state.done !== true; state = search.next(), step++) {
        record(state.value);
        if (!clock.isDue()) continue;
        pace.spend(passes, spent);
        spent = { ...passes };
        tell(places.length, recorded, Math.min(1, step / steps));
        await clock.pause();
      }
      record(state.value);
    } finally {
      search.return([]); // frees what it holds, where it was left before its end
      examples.x.dispose();
      examples.labels.dispose();
    }
    ledger.add([
      ...places.map((place) => ({ type: 'stood' as const, attack: name, place })), // the ledger knows the broken ones
      { type: 'cost', stage: name, part, ...passes, seconds: (performance.now() - began) / 1000 },
    ]);
    pace.spend(passes, spent);
    done += places.length;
    tell(0, 0, 0);
    await clock.pause();
  }
}

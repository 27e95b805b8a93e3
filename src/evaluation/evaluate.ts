import { type Attack, aimOf, requireNorm, stepSizeOf, type Threat } from '../attacks/attack.js';
import type { DatasetTensors } from '../data/tensors.js';
import { InterruptedError } from '../errors.js';
import { scope } from '../tensor/scope.js';
import { attackBatch, type Broken } from './attack-batch.js';
import { judge } from './judge.js';
import { requireClasses } from './logits.js';
import type { AttackResult, ExampleResult } from './result.js';
import { wilsonInterval } from './statistics.js';
import { type PassCount, paired, type Subject } from './subject.js';
import { verify } from './verify.js';

export interface EvaluateOptions {
  readonly attacks: readonly Attack[];
  readonly threat: Threat;
  readonly seed: number;
  /** Images a batch; changes the speed and the memory, not the verdicts. */
  readonly batch: number;
  /** Told after every batch, and now and then within one. */
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Asked between batches, and now and then within one; true ends the evaluation with an `InterruptedError`. */
  readonly interrupted?: () => boolean;
}

export interface EvaluationProgress {
  /** `clean`, or the attack's name. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** Share of all examples that stand so far. */
  readonly standing: number;
}

/** What the attacks did; `adversarial` holds the image that broke an example, by its place in the data. */
export interface Evaluation {
  readonly clean: number;
  readonly robust: number;
  readonly interval: readonly [number, number];
  readonly attacks: readonly AttackResult[];
  readonly perExample: readonly ExampleResult[];
  readonly adversarial: ReadonlyMap<number, Float32Array>;
}

/** Within a batch, milliseconds until a Ctrl-C is heard and the progress is told. */
const pauseEvery = 100;

/**
 * Clean accuracy, then each attack on what still stands: an example counts as robust when none broke it. Every
 * adversarial image is verified before it counts.
 *
 * @throws {RunError} where an attack left its ball or the box.
 */
export async function evaluate(
  subject: Subject,
  data: DatasetTensors,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { attacks, threat, seed, batch, onProgress, interrupted } = options;
  const count = data.count;
  const labels = data.dataset.labels;
  const places = Array.from({ length: count }, (_, place) => place);
  for (const attack of attacks) requireNorm(attack, threat.norm.name);

  let paused = 0;
  const pause = async () => {
    await new Promise(setImmediate); // lets a Ctrl-C be heard
    paused = performance.now();
    if (interrupted?.() === true)
      throw new InterruptedError('Interrupted; the evaluation was not finished and nothing was written.');
  };

  const right = new Set<number>();
  const classify = paired(subject.classify);
  let classes = 0;
  for (const chunk of chunks(places, batch)) {
    const judged = scope(() =>
      judge(classify, data.batch(chunk).x, {
        labels: chunk.map((place) => labels[place]!),
        random: subject.random === true,
      }),
    );
    classes = judged.classes;
    const errors = new Set(judged.wrong);
    chunk.forEach((place, row) => {
      if (!errors.has(row)) right.add(place);
    });
    onProgress?.({ stage: 'clean', done: chunk.at(-1)! + 1, total: count, standing: right.size / count });
    await pause();
  }

  requireClasses(classes, data.dataset);

  const brokenBy = new Map<number, string>();
  const adversarial = new Map<number, Float32Array>();
  const results: AttackResult[] = [];
  for (const attack of attacks) {
    const standing = [...right].filter((place) => !brokenBy.has(place)).sort((a, b) => a - b);
    const passes: PassCount = { forwards: 0, backwards: 0 };
    const began = performance.now();
    let done = 0;
    for (const chunk of chunks(standing, batch)) {
      const examples = data.batch(chunk);
      let broken: readonly Broken[];
      const search = attackBatch(subject, examples, { attack, threat, seed, classes, count: passes });
      try {
        let state = search.next();
        for (; state.done !== true; state = search.next()) {
          if (performance.now() - paused < pauseEvery) continue;
          onProgress?.({
            stage: attack.name,
            done: done + state.value,
            total: standing.length,
            standing: (right.size - brokenBy.size - state.value) / count,
          });
          await pause();
        }
        broken = state.value;
        verify(examples.x, broken, { attack: attack.name, threat });
      } finally {
        search.return([]); // frees what it holds, where it was left before its end
        examples.x.dispose();
        examples.labels.dispose();
      }
      for (const { row, image } of broken) {
        brokenBy.set(chunk[row]!, attack.name);
        adversarial.set(chunk[row]!, image);
      }
      done += chunk.length;
      onProgress?.({
        stage: attack.name,
        done,
        total: standing.length,
        standing: (right.size - brokenBy.size) / count,
      });
      await pause();
    }
    results.push({
      name: attack.name,
      ...aimOf(attack, classes),
      steps: attack.steps,
      stepSize: stepSizeOf(attack, threat.epsilon),
      restarts: attack.restarts,
      ...(attack.surrogate !== undefined && { surrogate: attack.surrogate }),
      attacked: standing.length,
      broken: standing.filter((place) => brokenBy.has(place)).length,
      robustAfter: (right.size - brokenBy.size) / count,
      ...passes,
      seconds: (performance.now() - began) / 1000,
    });
  }

  return {
    clean: right.size / count,
    robust: (right.size - brokenBy.size) / count,
    interval: wilsonInterval(right.size - brokenBy.size, count),
    attacks: results,
    perExample: places.map((place) => ({
      id: data.ids[place]!,
      label: labels[place]!,
      clean: right.has(place),
      brokenBy: brokenBy.get(place) ?? null,
    })),
    adversarial,
  };
}

function* chunks(places: readonly number[], size: number): Generator<readonly number[]> {
  for (let start = 0; start < places.length; start += size) yield places.slice(start, start + size);
}

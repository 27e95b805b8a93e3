import type { BatchSource } from '../data/batch-source.js';
import { batchOfRank, type ProcessGroup, singleProcess } from '../distributed/process-group.js';
import { InputError, InterruptedError, RunError } from '../errors.js';
import type { Model } from '../models/model.js';
import type { CheckpointName } from '../runs/checkpoint.js';
import type { RunEvent } from '../runs/events.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Ema } from './ema.js';
import { accumulateGradients } from './gradient-accumulation.js';
import { learningRateAt, type Schedule } from './learning-rate.js';
import type { Objective } from './objectives/objective.js';
import { clipNorm } from './optimizers/clip.js';
import type { Optimizer } from './optimizers/optimizer.js';
import {
  catastrophicOverfitting,
  type GuardState,
  initialGuardState,
  overfittingWarning,
} from './overfitting/criterion.js';
import type { Guard } from './overfitting/guard.js';

/** Where a run stands; with weights and optimiser, all that is needed to go on to the bit: noise has no state. */
export interface TrainingProgress {
  /** The epoch that goes on, from 1. */
  readonly epoch: number;
  /** Steps done in it. */
  readonly epochStep: number;
  /** Steps done in all. */
  readonly step: number;
  /** Sums over the steps of this epoch. */
  readonly lossSum: number;
  readonly accuracySum: number;
  /** The best value of the measurement that chooses, so far; null before the first. */
  readonly best: number | null;
  /** What the guard remembers. */
  readonly watched: GuardState;
}

export const initialProgress: TrainingProgress = {
  epoch: 1,
  epochStep: 0,
  step: 0,
  lossSum: 0,
  accuracySum: 0,
  best: null,
  watched: initialGuardState,
};

export interface TrainOptions {
  readonly model: Model;
  readonly data: BatchSource;
  readonly objective: Objective;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly epochs: number;
  /** Images a step; what is left over at the end of a pass over the data is not used in it. */
  readonly batch: number;
  /** Steps an epoch, after which the model is measured; null: one pass over the data. */
  readonly epochSteps: number | null;
  /** Equal parts that a batch is learned from one after another. @default 1 */
  readonly accumulate?: number;
  /** Largest L2 norm of all gradients together; null is without. @default null */
  readonly clipNorm?: number | null;
  /** Takes in the weights after each step. @default null */
  readonly ema?: Ema | null;
  /** Looks for catastrophic overfitting at the end of each epoch. @default null */
  readonly guard?: Pick<Guard, 'check' | 'measurements' | 'chance' | 'examples'> | null;
  /** Steps between its checks within an epoch; null: none. @default null */
  readonly guardEvery?: number | null;
  /** Epochs before its first check: while ε rises, attacks of the full ε would raise false alarms. @default 0 */
  readonly guardAfter?: number;
  readonly seed: number;
  /** Measures after each epoch: `['validation/clean', 0.9]`. The last one chooses the best checkpoint. */
  readonly evaluate: () => AsyncIterable<readonly [name: string, value: number]>;
  /** Steps between checkpoints within an epoch; null: only at the end of each. */
  readonly checkpointEvery: number | null;
  readonly progress: TrainingProgress;
  readonly record: (event: RunEvent) => void;
  readonly checkpoint: (name: CheckpointName, progress: TrainingProgress) => void;
  /** Asked after each step; true, on any rank, writes a checkpoint and ends the run with an `InterruptedError`. */
  readonly interrupted: () => boolean;
  /** With whom each batch is shared. @default alone */
  readonly ranks?: ProcessGroup;
  /** Whether batch norm takes its statistics from this rank's images alone; the running ones are then averaged. @default false */
  readonly ghost?: boolean;
}

/**
 * Trains a model. Each step: batch, objective, update, record; each epoch: measure, keep the best, keep the last.
 *
 * @throws {RunError} `non-finite` where a loss, the norm of the gradient or a weight is no number any more; the last
 *   checkpoint is from before.
 * @throws {InputError} where the batch cannot be cut into equal parts for all ranks, and those into `accumulate`.
 * @throws {InterruptedError} after a checkpoint was written.
 */
export async function train(options: TrainOptions): Promise<void> {
  const { model, data, objective, optimizer, schedule, epochs, batch, seed, record } = options;
  const { accumulate = 1, ema = null, guard = null, guardEvery = null, guardAfter = 0 } = options;
  const { ranks = singleProcess, ghost = false } = options;
  if (batch % accumulate !== 0)
    throw InputError.expected(`a divisor of the batch of ${batch}`, 'accumulate', accumulate);
  const size = batchOfRank(batch / accumulate, 'the images of a step, or of a part of it,', ranks);
  const own = size * accumulate;
  // All must stop after the same step, whichever of them was told to.
  const interrupted = () => ranks.allReduce([options.interrupted() ? 1 : 0])[0]! > 0;
  const stepsPerPass = Math.floor(data.count / batch) * objective.replays;
  const stepsPerEpoch = options.epochSteps ?? stepsPerPass;
  const began = performance.now();
  let progress = options.progress;

  const checkpoint = (name: CheckpointName) => {
    const broken = nonFiniteWeights(model) ?? (ema && nonFiniteWeights(ema.model));
    if (broken !== null) fail(`The weights ${broken} are not finite after step ${progress.step}`);
    options.checkpoint(name, progress);
    record({ type: 'checkpoint', time: now(), epoch: progress.epoch, step: progress.step, file: name });
  };
  const fail = (what: string): never => {
    const message = `${what}. The last checkpoint is from before that; a lower learning rate or a longer warm-up usually helps.`;
    record({ type: 'failed', time: now(), epoch: progress.epoch, step: progress.step, message });
    throw new RunError('non-finite', message);
  };
  const stop = (): never => {
    record({ type: 'interrupted', time: now(), epoch: progress.epoch, step: progress.step });
    checkpoint('last');
    throw new InterruptedError(
      `Interrupted after step ${progress.step}; a checkpoint was written. Continue with \`resume\`.`,
    );
  };

  const watch = (by: NonNullable<typeof guard>) => {
    const { step, watched } = progress;
    const check = { ...by.check(model), step };
    const seen = watched.found === null ? catastrophicOverfitting(check, watched.last, by.chance) : null;
    if (seen !== null) {
      const message = overfittingWarning(seen, { examples: by.examples, healthy: watched.healthy });
      record({ type: 'warning', time: now(), step, message });
    }
    const found = seen === null ? watched.found : step;
    const healthy = found === null && check.clean > by.chance ? step : watched.healthy;
    progress = { ...progress, watched: { last: check, healthy, found } };
    if (healthy === step) checkpoint('healthy');
  };

  // From here on there is a checkpoint to go back to, whatever happens.
  if (progress.step === 0) checkpoint('last');

  while (progress.epoch <= epochs) {
    const { epoch } = progress;
    const epochBegan = performance.now();
    let stepBegan = epochBegan;

    while (progress.epochStep < stepsPerEpoch) {
      const { epochStep, step } = progress;
      const learningRate = learningRateAt(schedule, { step, stepsPerEpoch, epochs });
      // Order and noise go by passes over the data, of which an epoch may be a part; they too count from 1.
      const pass = Math.floor(step / stepsPerPass) + 1;
      const first = Math.floor((step % stepsPerPass) / objective.replays) * batch + ranks.rank * own;
      const images = await data
        .take({ seed, pass, first, size: own, stride: batch })
        .catch((error: unknown) => {
          if (error instanceof RunError)
            record({ type: 'failed', time: now(), epoch, step, message: error.message });
          throw error;
        });
      for (const message of images.warnings) record({ type: 'warning', time: now(), step, message });
      const { loss, accuracy, norm } = scope(() => {
        const key = { seed, epoch: pass };
        const batchOf = (part: number) => images.batch(part * size, size);
        const place = { ...key, step, stepsPerEpoch };
        const learned = accumulateGradients(objective, model, { parts: accumulate, batchOf, place });
        const { gradients, loss, accuracy } = learned;
        const norm = Number.isFinite(loss) && options.clipNorm ? clipNorm(gradients, options.clipNorm) : 0;
        if (Number.isFinite(loss) && Number.isFinite(norm)) optimizer.step(gradients, learningRate);
        learned.restore?.();
        if (ghost) ranks.allReduceMean_(runningStatistics(model));
        return { loss, accuracy, norm };
      });
      const which = `of step ${step + 1} (epoch ${epoch})`;
      if (!Number.isFinite(loss)) fail(`The loss ${which} is ${loss}`);
      if (!Number.isFinite(norm)) fail(`The norm of the gradient ${which} is ${norm}`);
      ema?.update(step);
      progress = {
        ...progress,
        epochStep: epochStep + 1,
        step: step + 1,
        lossSum: progress.lossSum + loss,
        accuracySum: progress.accuracySum + accuracy,
      };
      const imagesPerSecond = (batch * 1000) / (performance.now() - stepBegan);
      record({
        type: 'step',
        time: now(),
        epoch,
        step: step + 1,
        loss,
        accuracy,
        learningRate,
        imagesPerSecond,
      });
      // Before any checkpoint of this step, so that a run that goes on from there does not check again.
      const isChecked = guardEvery !== null && progress.step % guardEvery === 0;
      const isDue = isChecked || progress.epochStep === stepsPerEpoch;
      if (guard !== null && isDue && progress.step > guardAfter * stepsPerEpoch) watch(guard);
      stepBegan = performance.now();
      await new Promise(setImmediate); // a synchronous loop would never hear a Ctrl-C
      if (interrupted()) stop();
      const due = options.checkpointEvery !== null && progress.step % options.checkpointEvery === 0;
      if (due && progress.epochStep < stepsPerEpoch) checkpoint('last');
    }

    const measurements: Record<string, number> = {
      'train/loss': progress.lossSum / stepsPerEpoch,
      'train/accuracy': progress.accuracySum / stepsPerEpoch,
      ...(progress.watched.last !== null && guard?.measurements(progress.watched.last)),
    };
    let chosen: number | null = null;
    try {
      for await (const [name, value] of options.evaluate()) {
        measurements[name] = value;
        chosen = value;
      }
    } catch (error) {
      if (error instanceof InterruptedError) stop();
      throw error;
    }
    const seconds = (performance.now() - epochBegan) / 1000;
    record({ type: 'epoch', time: now(), epoch, step: progress.step, seconds, measurements });
    const isBest = chosen !== null && (progress.best === null || chosen > progress.best);
    progress = {
      ...initialProgress,
      epoch: epoch + 1,
      step: progress.step,
      best: isBest ? chosen : progress.best,
      watched: progress.watched,
    };
    if (isBest) checkpoint('best');
    checkpoint('last');
    if (interrupted() && epoch < epochs) stop();
  }
  record({
    type: 'end',
    time: now(),
    epoch: epochs,
    step: progress.step,
    seconds: (performance.now() - began) / 1000,
  });
}

/** Batch norm's running means and variances. */
function runningStatistics({ network }: Model): Tensor[] {
  const parameters = network.parameters();
  return [...network.state()].flatMap(([name, tensor]) =>
    parameters.has(name) || !tensor.dtype.startsWith('float') ? [] : [tensor],
  );
}

/** The name of the first weights that are not finite; null where all are. */
function nonFiniteWeights(model: Model): string | null {
  for (const [name, weights] of model.network.state())
    if (!Number.isFinite(scope(() => weights.to('float64').abs().max().item()))) return name;
  return null;
}

function now(): string {
  return new Date().toISOString();
}

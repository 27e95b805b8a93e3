import type { BatchSource } from '../data/batch-source.js';
import { batchOfRank, type ProcessGroup, singleProcess } from '../distributed/process-group.js';
import { InputError, InterruptedError, RunError } from '../errors.js';
import type { Model } from '../models/model.js';
import type { CheckpointName } from '../runs/checkpoint.js';
import type { RunEvent } from '../runs/events.js';
import { stack, tensor, zerosLike } from '../tensor/create.js';
import { PendingRead } from '../tensor/pending-read.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Ema } from './ema.js';
import { accumulateGradients } from './gradient-accumulation.js';
import { learningRateAt, type Schedule } from './learning-rate.js';
import type { Objective, StepContext } from './objectives/objective.js';
import { clipNorm } from './optimizers/clip.js';
import type { Optimizer } from './optimizers/optimizer.js';
import {
  catastrophicOverfitting,
  type GuardState,
  initialGuardState,
  overfittingWarning,
} from './overfitting/criterion.js';
import type { Guard } from './overfitting/guard.js';

/** The state of a run; with weights and optimizer state it suffices to resume bit-identically: noise is stateless. */
export interface TrainingProgress {
  /** The current epoch, from 1. */
  readonly epoch: number;
  /** Steps completed in this epoch. */
  readonly epochStep: number;
  /** Steps completed in total. */
  readonly step: number;
  /** Sums over the steps of this epoch. */
  readonly lossSum: number;
  readonly accuracySum: number;
  /** The best validation value so far; null before the first. */
  readonly best: number | null;
  /** Epochs since then without a better one. */
  readonly waited: number;
  /** State of the guard. */
  readonly watched: GuardState;
  /** Ids of the images found to be broken so far. */
  readonly broken: readonly number[];
}

export const initialProgress: TrainingProgress = {
  epoch: 1,
  epochStep: 0,
  step: 0,
  lossSum: 0,
  accuracySum: 0,
  best: null,
  waited: 0,
  watched: initialGuardState,
  broken: [],
};

export interface TrainOptions {
  readonly model: Model;
  readonly data: BatchSource;
  readonly objective: Objective;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly epochs: number;
  /** Batch size; an incomplete last batch of a pass over the data is dropped. */
  readonly batch: number;
  /** Steps per epoch, after which the model is evaluated; null: one pass over the data. */
  readonly epochSteps: number | null;
  /** Number of equal parts into which a batch is split for gradient accumulation. @default 1 */
  readonly accumulate?: number;
  /** Maximum L2 norm of the concatenated gradients; null: no clipping. @default null */
  readonly clipNorm?: number | null;
  /** How much the loss of an image counts, by its class; null: all count the same. @default null */
  readonly classWeights?: readonly number[] | null;
  /** Updated after each step. @default null */
  readonly ema?: Ema | null;
  /** Checks for catastrophic overfitting at the end of each epoch. @default null */
  readonly guard?: Pick<Guard, 'check' | 'measurements' | 'chance' | 'examples'> | null;
  /** Steps between checks within an epoch; null: none. @default null */
  readonly guardEvery?: number | null;
  /**
   * Epochs before the first check: attacks with the full ε would raise false alarms during the ε warm-up. @default 0
   */
  readonly guardAfter?: number;
  readonly seed: number;
  /** Evaluates the model after each epoch: `['validation/clean', 0.9]`. The last value selects the best checkpoint. */
  readonly evaluate: () => AsyncIterable<readonly [name: string, value: number]>;
  /** Ends the run after so many epochs without a better value of the last measurement; null: never. @default null */
  readonly patience?: number | null;
  /** Steps between checkpoints within an epoch; null: only at the end of each epoch. */
  readonly checkpointEvery: number | null;
  readonly progress: TrainingProgress;
  readonly record: (event: RunEvent) => void;
  readonly checkpoint: (name: CheckpointName, progress: TrainingProgress) => void;
  /** Polled after each step; true on any rank writes a checkpoint and throws an `InterruptedError`. */
  readonly interrupted: () => boolean;
  /** The ranks that share each batch. @default a single process */
  readonly group?: ProcessGroup;
  /** Batch statistics are not those of all ranks (ghost batch norm): average the running statistics. @default false */
  readonly ghost?: boolean;
  /**
   * Read what a step measured after the next one was launched, so that a card does not wait for JavaScript between two
   * steps. @default false on the CPU, otherwise true
   */
  readonly readsLate?: boolean;
}

/** A step that was launched, and whose loss was not read yet. */
interface UnreadStep {
  readonly read: PendingRead; // loss, accuracy, norm of the gradient
  readonly epoch: number;
  /** Its number, from 1. */
  readonly step: number;
  readonly learningRate: number;
}

/**
 * Trains a model. Each step: load a batch, compute gradients, update, log. Each epoch: evaluate, save the best and the
 * last checkpoint; the last epoch may come early, with `patience`.
 *
 * With `readsLate` the event of a step is recorded after the next step was launched, or before the next event of another
 * type, a check of the guard or a checkpoint.
 *
 * @throws {RunError} `non-finite` if a loss, a gradient norm or a weight is not finite; the last checkpoint precedes
 * it. Without `readsLate` a loss or norm that is not finite updates no weight.
 * @throws {InputError} if the batch cannot be split into equal parts for all ranks and `accumulate`.
 * @throws {InterruptedError} after a checkpoint was written.
 */
export async function train(options: TrainOptions): Promise<void> {
  const { model, data, objective, optimizer, schedule, epochs, batch, seed, record } = options;
  const { accumulate = 1, ema = null, guard = null, guardEvery = null, guardAfter = 0 } = options;
  const { classWeights = null, patience = null, group = singleProcess, ghost = false } = options;
  if (batch % accumulate !== 0)
    throw InputError.expected(`a divisor of the batch of ${batch}`, 'accumulate', accumulate);
  const size = batchOfRank(batch / accumulate, 'the images of a step, or of a part of it,', group);
  const perRank = size * accumulate;
  // All ranks must stop after the same step, whichever received the signal.
  const interrupted = () => group.allReduce([options.interrupted() ? 1 : 0])[0]! > 0;
  const stepsPerPass = Math.floor(data.count / batch) * objective.replays;
  const stepsPerEpoch = options.epochSteps ?? stepsPerPass;
  const { readsLate = model.device !== 'cpu' } = options;
  const began = performance.now();
  using weights =
    classWeights === null
      ? null
      : keep(tensor(Float64Array.from(classWeights), [classWeights.length], model.device));
  /** Of a step; the labels of all ranks decide how much an image of this one counts. */
  const weightsOf = (labels: () => readonly number[]): Pick<StepContext, 'classWeights'> => {
    if (classWeights === null || weights === null) return {};
    const own = labels().reduce((sum, label) => sum + classWeights[label]!, 0);
    return { classWeights: { ofClass: weights, mean: group.allReduce([own])[0]! / batch } };
  };
  let progress = options.progress;
  data.skip?.(progress.broken);
  const unread: UnreadStep[] = [];
  let stepBegan = began;

  /** Reads and records the steps that were launched, except the last `ahead` ones; fails if one is not finite. */
  const settle = (ahead = 0) => {
    while (unread.length > ahead) {
      const { read, epoch, step, learningRate } = unread.shift()!;
      const [loss = Number.NaN, accuracy = Number.NaN, norm = Number.NaN] = read.numbers();
      const before = { epoch, step: step - 1 };
      const where = `of step ${step} (epoch ${epoch})`;
      if (!Number.isFinite(loss)) fail(`The loss ${where} is ${loss}`, before);
      if (!Number.isFinite(norm)) fail(`The norm of the gradient ${where} is ${norm}`, before);
      progress = {
        ...progress,
        lossSum: progress.lossSum + loss,
        accuracySum: progress.accuracySum + accuracy,
      };
      const imagesPerSecond = (batch * 1000) / (performance.now() - stepBegan);
      record({ type: 'step', time: now(), epoch, step, loss, accuracy, learningRate, imagesPerSecond });
      stepBegan = performance.now();
    }
  };
  const checkpoint = (name: CheckpointName) => {
    settle();
    const broken = nonFiniteWeights(model) ?? (ema && nonFiniteWeights(ema.model));
    if (broken !== null) fail(`The weights ${broken} are not finite after step ${progress.step}`, progress);
    options.checkpoint(name, progress);
    record({ type: 'checkpoint', time: now(), epoch: progress.epoch, step: progress.step, file: name });
  };
  const fail = (what: string, { epoch, step }: { readonly epoch: number; readonly step: number }): never => {
    const message = `${what}. The last checkpoint precedes it; a lower learning rate or a longer warm-up usually helps.`;
    record({ type: 'failed', time: now(), epoch, step, message });
    throw new RunError('non-finite', message);
  };
  const stop = (): never => {
    settle();
    record({ type: 'interrupted', time: now(), epoch: progress.epoch, step: progress.step });
    checkpoint('last');
    throw new InterruptedError(
      `Interrupted after step ${progress.step}; a checkpoint was written. Continue with \`resume\`.`,
    );
  };

  const runGuard = (activeGuard: NonNullable<typeof guard>) => {
    settle();
    const { step, watched } = progress;
    const check = { ...activeGuard.check(model), step };
    const finding =
      watched.found === null ? catastrophicOverfitting(check, watched.last, activeGuard.chance) : null;
    if (finding !== null) {
      const message = overfittingWarning(finding, {
        examples: activeGuard.examples,
        healthy: watched.healthy,
      });
      record({ type: 'warning', time: now(), step, message });
    }
    const found = finding === null ? watched.found : step;
    const healthy = found === null && check.clean > activeGuard.chance ? step : watched.healthy;
    progress = { ...progress, watched: { last: check, healthy, found } };
    if (healthy === step) checkpoint('healthy');
  };

  // Ranks agree, since they measure the same. Asked again of a run that was killed between its last checkpoint and its end.
  const isStalled = () => patience !== null && progress.waited >= patience;

  // Ensures that there is always a checkpoint to resume from.
  if (progress.step === 0) checkpoint('last');

  while (progress.epoch <= epochs && !isStalled()) {
    const { epoch } = progress;
    const epochBegan = performance.now();
    stepBegan = epochBegan;

    while (progress.epochStep < stepsPerEpoch) {
      const { epochStep, step } = progress;
      const learningRate = learningRateAt(schedule, { step, stepsPerEpoch, epochs });
      // Shuffling and noise depend on the pass over the data (from 1), of which an epoch may be a part.
      const pass = Math.floor(step / stepsPerPass) + 1;
      const first = Math.floor((step % stepsPerPass) / objective.replays) * batch + group.rank * perRank;
      const images = await data
        .take({ seed, pass, first, size: perRank, stride: batch })
        .catch((error: unknown) => {
          if (error instanceof RunError) {
            settle();
            record({ type: 'failed', time: now(), epoch, step, message: error.message });
          }
          throw error;
        });
      if (images.warnings.length > 0) settle();
      // Of the coming step: a run that resumes before it meets the images again.
      for (const message of images.warnings)
        record({ type: 'warning', time: now(), step: step + 1, message });
      if (images.broken.length > 0)
        progress = { ...progress, broken: [...progress.broken, ...images.broken] };
      const { read, isTaken } = scope(() => {
        const key = { seed, epoch: pass };
        const batchOf = (part: number) => images.batch(part * size, size);
        const place = { ...key, step, stepsPerEpoch, first: group.rank * perRank };
        const context = { ...place, ...weightsOf(images.labels) };
        const parts = { parts: accumulate, batchOf, context, stopsEarly: !readsLate };
        const result = accumulateGradients(objective, model, parts);
        const { gradients, loss, accuracy } = result;
        const isSound = (number: Tensor) => readsLate || Number.isFinite(number.item());
        const isLearnable = isSound(loss);
        const norm =
          isLearnable && options.clipNorm ? clipNorm(gradients, options.clipNorm) : zerosLike(loss);
        const isTaken = isLearnable && isSound(norm);
        if (isTaken) optimizer.step(gradients, learningRate);
        result.restore?.();
        if (ghost) group.allReduceMean_(runningStatistics(model));
        return { read: new PendingRead(stack([loss, accuracy, norm])), isTaken };
      });
      if (isTaken) ema?.update(step);
      unread.push({ read, epoch, step: step + 1, learningRate });
      progress = { ...progress, epochStep: epochStep + 1, step: step + 1 };
      settle(readsLate ? 1 : 0);
      const warnings = objective.takeWarnings();
      if (warnings.length > 0) settle();
      for (const message of warnings) record({ type: 'warning', time: now(), step: step + 1, message });
      // Before any checkpoint of this step, so that a resumed run does not repeat the check.
      const isChecked = guardEvery !== null && progress.step % guardEvery === 0;
      const isDue = isChecked || progress.epochStep === stepsPerEpoch;
      if (guard !== null && isDue && progress.step > guardAfter * stepsPerEpoch) runGuard(guard);
      stepBegan = performance.now();
      await new Promise(setImmediate); // lets the event loop handle signals
      if (interrupted()) stop();
      const due = options.checkpointEvery !== null && progress.step % options.checkpointEvery === 0;
      if (due && progress.epochStep < stepsPerEpoch) checkpoint('last');
    }

    settle();
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
      waited: isBest || chosen === null ? 0 : progress.waited + 1,
      watched: progress.watched,
      broken: progress.broken,
    };
    if (isBest) checkpoint('best');
    checkpoint('last');
    if (interrupted() && epoch < epochs && !isStalled()) stop();
  }
  const last = progress.epoch - 1;
  record({
    type: 'end',
    time: now(),
    epoch: last,
    step: progress.step,
    ...(last < epochs && { bestEpoch: last - progress.waited }),
    seconds: (performance.now() - began) / 1000,
  });
}

/** The running means and variances of batch norm. */
function runningStatistics({ network }: Model): Tensor[] {
  const parameters = network.parameters();
  return [...network.state()].flatMap(([name, tensor]) =>
    parameters.has(name) || !tensor.dtype.startsWith('float') ? [] : [tensor],
  );
}

/** The name of the first non-finite weight or buffer; null if all are finite. One read. */
function nonFiniteWeights(model: Model): string | null {
  const state = [...model.network.state()];
  const largest = scope(() =>
    stack(state.map(([, weights]) => scope(() => weights.to('float64').abs().max()))).numbers(),
  );
  const broken = largest.findIndex((value) => !Number.isFinite(value));
  return broken < 0 ? null : state[broken]![0];
}

function now(): string {
  return new Date().toISOString();
}

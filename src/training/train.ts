import { type Augmentation, augment } from '../data/augment.js';
import type { DatasetTensors } from '../data/tensors.js';
import { InterruptedError, RunError } from '../errors.js';
import type { Model } from '../models/model.js';
import type { RunEvent } from '../runs/events.js';
import { permutation } from '../tensor/noise.js';
import { scope } from '../tensor/scope.js';
import type { Objective } from './objective.js';
import { learningRateAt, type Schedule } from './schedule.js';
import type { Sgd } from './sgd.js';

/** Where a run stands; with weights and optimiser, all that is needed to go on to the bit: noise has no state. */
export interface Progress {
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
}

export const start: Progress = { epoch: 1, epochStep: 0, step: 0, lossSum: 0, accuracySum: 0, best: null };

export interface TrainOptions {
  readonly model: Model;
  readonly data: DatasetTensors;
  readonly objective: Objective;
  readonly optimizer: Sgd;
  readonly schedule: Schedule;
  readonly augmentation: Augmentation;
  readonly epochs: number;
  /** Images a step; what is left over at the end of a pass over the data is not used in it. */
  readonly batch: number;
  /** Steps an epoch, after which the model is measured; null: one pass over the data. */
  readonly epochSteps: number | null;
  readonly seed: number;
  /** Measures after each epoch: `['validation/clean', 0.9]`. The last one chooses the best checkpoint. */
  readonly evaluate: () => AsyncIterable<readonly [name: string, value: number]>;
  /** Steps between checkpoints within an epoch; null: only at the end of each. */
  readonly checkpointEvery: number | null;
  readonly progress: Progress;
  readonly record: (event: RunEvent) => void;
  readonly checkpoint: (name: 'last' | 'best', progress: Progress) => void;
  /** Asked after each step; true writes a checkpoint and ends the run with an `InterruptedError`. */
  readonly interrupted: () => boolean;
}

/**
 * Trains a model. Each step: batch, objective, update, record; each epoch: measure, keep the best, keep the last.
 *
 * @throws {RunError} `non-finite` where a loss or a weight is no number any more; the last checkpoint is from before.
 * @throws {InterruptedError} after a checkpoint was written.
 */
export async function train(options: TrainOptions): Promise<void> {
  const { model, data, objective, optimizer, schedule, epochs, batch, seed, record, interrupted } = options;
  const stepsPerPass = Math.floor(data.count / batch) * objective.replays;
  const stepsPerEpoch = options.epochSteps ?? stepsPerPass;
  const began = performance.now();
  let progress = options.progress;
  let order: Uint32Array = new Uint32Array();
  let orderedPass = 0;

  const checkpoint = (name: 'last' | 'best') => {
    const broken = nonFiniteWeights(model);
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
      `Interrupted after step ${progress.step}; a checkpoint was written. Go on with --resume.`,
    );
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
      if (pass !== orderedPass) order = permutation(data.count, { seed, stream: 'shuffle', epoch: pass });
      orderedPass = pass;
      const first = Math.floor((step % stepsPerPass) / objective.replays) * batch;
      const { loss, accuracy } = scope(() => {
        const places = order.subarray(first, first + batch);
        const key = { seed, epoch: pass };
        const augmented = data.changedBatch(places, (images, ids) =>
          augment(images, { ...options.augmentation, ...key, ids }),
        );
        const learned = objective.learn(model, augmented, { ...key, step, stepsPerEpoch, part: 0 });
        if (Number.isFinite(learned.loss)) optimizer.step(learned.gradients, learningRate);
        learned.restore?.();
        return { loss: learned.loss, accuracy: learned.accuracy };
      });
      if (!Number.isFinite(loss)) fail(`The loss of step ${step + 1} (epoch ${epoch}) is ${loss}`);
      progress = {
        ...progress,
        epochStep: epochStep + 1,
        step: step + 1,
        lossSum: progress.lossSum + loss,
        accuracySum: progress.accuracySum + accuracy,
      };
      const moment = performance.now();
      const imagesPerSecond = (batch * 1000) / (moment - stepBegan);
      stepBegan = moment;
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
      await new Promise(setImmediate); // a synchronous loop would never hear a Ctrl-C
      if (interrupted()) stop();
      const due = options.checkpointEvery !== null && progress.step % options.checkpointEvery === 0;
      if (due && progress.epochStep < stepsPerEpoch) checkpoint('last');
    }

    const measurements: Record<string, number> = {
      'train/loss': progress.lossSum / stepsPerEpoch,
      'train/accuracy': progress.accuracySum / stepsPerEpoch,
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
      ...start,
      epoch: epoch + 1,
      step: progress.step,
      best: isBest ? chosen : progress.best,
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

/** The name of the first weights that are not finite; null where all are. */
function nonFiniteWeights(model: Model): string | null {
  for (const [name, weights] of model.network.state())
    if (!Number.isFinite(scope(() => weights.to('float64').abs().max().item()))) return name;
  return null;
}

function now(): string {
  return new Date().toISOString();
}

import { z } from 'zod';
import { groupFailure, withoutTermination } from '../../distributed/collectives.js';
import { threadsOfRank } from '../../distributed/init-process-group.js';
import { batchOfRank, type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import { cardName } from '../../engine/device.js';
import { engineInfo, setThreads } from '../../engine/engine-info.js';
import { setTensorFloat32 } from '../../engine/precision.js';
import { InputError } from '../../errors.js';
import { removeAbandonedLock } from '../../files/lock.js';
import type { Model } from '../../models/model.js';
import { type Manifest, makeManifest, placeOf } from '../../provenance/manifest.js';
import { isSameKind, placeName } from '../../provenance/place.js';
import { parseRecipe, type Recipe } from '../../recipe/recipe.js';
import { type Checkpoint, writeCheckpoint } from '../../runs/checkpoint.js';
import { readEvents } from '../../runs/event-log.js';
import type { RunEvent } from '../../runs/events.js';
import {
  createRunFolder,
  isFinishedRun,
  isRunFolder,
  type RunFolder,
  requireUnused,
  resumeRunFolder,
} from '../../runs/run-folder.js';
import { hasEventFile, openEventFile } from '../../runs/tensorboard/event-file.js';
import { hasTrackioStore } from '../../runs/trackio/store-folder.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { initialProgress, type TrainingProgress, train } from '../../training/train.js';
import { requireArgument } from '../../user-input/require-argument.js';
import { validate } from '../../user-input/validate.js';
import { loadWeights, toArrays, toTensor } from '../../weights/module-weights.js';
import type { NamedArray } from '../../weights/safetensors.js';
import { deviceOfRank } from '../device-of-rank.js';
import { requirePrecision } from '../require-precision.js';
import { requireSameImages, requireSameRecipe, requireSameWeights } from '../require-same-on-ranks.js';
import { requireWholeGroups } from '../require-whole-groups.js';
import { buildExperiment, type Experiment, type ExperimentOptions } from './build-experiment.js';
import { loadTrainingData, warningsOf } from './training-data.js';

/** A training run on disk: a recipe trained into a run folder, from scratch or resumed. */
export interface TrainRunOptions extends Omit<ExperimentOptions, 'device'> {
  readonly recipe: Recipe;
  /** The device of this process. @default the recipe's */
  readonly device?: string;
  /** The run folder. */
  readonly path: string;
  /** Resumes the run in the folder; starts it if there is none, and leaves a finished one as it is. With several ranks, true on any of them suffices. */
  readonly resume: boolean;
  /** The launcher's id of the job, kept in the manifest. @default null */
  readonly job?: string | null;
  /** Also writes an event file for TensorBoard; a run that has one goes on with it. @default false */
  readonly tensorboard?: boolean;
  /** Also writes a store for trackio; a run that has one goes on with it. @default false */
  readonly trackio?: boolean;
  /** Called with every event. */
  readonly onEvent: (event: RunEvent) => void;
}

/** Approximate number of steps per epoch recorded in `events.jsonl`. */
const recordedSteps = 100;

/**
 * Trains `recipe` in the folder `path`: writes recipe and manifest before step 0, events as they occur, and the last and
 * best checkpoint after each epoch.
 *
 * With several ranks each trains on its share of every batch, and only rank 0 writes.
 *
 * @throws {InputError} before anything is written, if recipe, data or folder cannot be used.
 */
export async function trainRun(options: TrainRunOptions): Promise<void> {
  requireArgument(options, 'options', 'trainRun');
  requireArgument(options.recipe, 'recipe', 'trainRun');
  requireArgument(options.path, 'text', 'the path of a run');
  requireArgument(options.resume, 'flag', 'resume of trainRun');
  requireArgument(options.interrupted, 'function', 'interrupted of trainRun');
  requireArgument(options.onEvent, 'function', 'onEvent of trainRun');
  const { recipe, path, interrupted, onEvent, job = null, group = singleProcess } = options;
  const leads = group.rank === 0;
  requireSameRecipe(group, recipe);
  const { batch, accumulate } = recipe.training;
  const batchName = accumulate === 1 ? 'training.batch' : 'training.batch / accumulate';
  requireWholeGroups(batchOfRank(batch / accumulate, batchName, group), recipe.training);
  // A rank that has just joined an elastic job may lead it, and does not know that it was restarted.
  const resume = group.allReduce([options.resume ? 1 : 0])[0]! > 0;
  if (leads && resume) await removeAbandonedLock(path, { interrupted });
  const goesOn = leads && resume && isRunFolder(path);
  if (leads && !goesOn) requireUnused(path);
  const stored = { path, recipe, complete: (before: unknown) => complete(before, recipe) };
  if (group.allReduce([goesOn && isFinishedRun(stored) ? 1 : 0])[0]! > 0) return;
  // Bad images and a bad checkpoint are refused before the engine is loaded.
  const images = await loadTrainingData(recipe, options.onProgress);
  if (group.size > 1) requireSameImages(group, images);
  const resumed = goesOn ? resumeRunFolder({ ...stored, willRepeat: comesAgain }) : null;
  using held = resumed?.run ?? null;
  const device = options.device ?? deviceOfRank(recipe.device, { group, source: deviceOfRecipe });
  requirePrecision(recipe.training.precision, { device, name: 'training.precision' });
  if (recipe.threads !== null || group.size > 1) setThreads(recipe.threads ?? threadsOfRank(group));

  using _setting = setTensorFloat32(recipe.training.precision === 'tf32');
  using experiment = buildExperiment(recipe, images, { ...options, device });
  const { model, epochs } = experiment;
  const stepsPerEpoch =
    experiment.epochSteps ??
    Math.floor(experiment.data.count / experiment.batch) * experiment.objective.replays;
  // Only rank 0 writes.
  using run = leads ? (held ?? begin(path, recipe, { group, job, device })) : null;
  const checkpoint = resumed?.checkpoint ?? null;

  using board =
    run !== null && (options.tensorboard === true || hasEventFile(path))
      ? openEventFile(path, readEvents(path))
      : null;
  using store =
    run !== null && (options.trackio === true || hasTrackioStore(path))
      ? await trackioStore(path, recipe)
      : null;
  const every = Math.max(1, Math.floor(stepsPerEpoch / recordedSteps));
  let reached = { epoch: 1, step: 0 };
  const checkpointed = new Set(run === null ? [] : readEvents(path).flatMap(checkpointOf));
  const record = (event: RunEvent) => {
    if (run === null) return;
    const [written] = checkpointOf(event);
    if (written !== undefined && checkpointed.has(written)) return; // the same step again, after an interruption
    if (written !== undefined) checkpointed.add(written);
    if (event.type === 'step') reached = { epoch: event.epoch, step: event.step };
    if (event.type !== 'step' || event.step % every === 0) {
      run.appendEvent(event);
      board?.append(event);
      store?.append(event);
    }
    onEvent(event);
  };
  const restored = checkpoint === null ? initialProgress : restore(checkpoint, experiment);
  const progress = group.size === 1 ? restored : followLeader(group, experiment, restored);
  const time = new Date().toISOString();
  const place = { device, card: cardName(device), precision: recipe.training.precision };
  if (goesOn && checkpoint !== null)
    record({ type: 'resume', time, epoch: progress.epoch, step: progress.step, ...place });
  else record({ type: 'start', time, epochs, stepsPerEpoch, parameters: model.parameterCount, ...place });
  // Its event is missing if the process was killed between the two.
  if (checkpoint !== null)
    record({
      type: 'checkpoint',
      time,
      epoch: progress.epoch,
      step: progress.step,
      file: 'last',
    });

  // A run that goes on has recorded them.
  if (checkpoint === null)
    for (const message of warningsOf(images)) record({ type: 'warning', time, step: 0, message });

  const before = run === null ? place : placeOf(run.manifest);
  if (!isSameKind(before, place)) {
    const message = `This run began on ${placeName(before)} and continues on ${placeName(place)}, which rounds differently: its weights will not be those of a run that stayed on one.`;
    record({ type: 'warning', time, step: progress.step, message });
  }

  const training = train({
    ...experiment,
    progress,
    record,
    interrupted,
    checkpoint(name, state) {
      // Only the last checkpoint is resumed from.
      const rest = name === 'last' ? scope(() => toArrays(restState(experiment, group))) : null;
      if (name === 'last') requireSameWeights(group, model, state.step);
      if (run === null) return;
      run.requireLock();
      const weights = toArrays(keptModel(experiment).network.state());
      withoutTermination(() =>
        writeCheckpoint({
          run: path,
          name,
          step: state.step,
          model: model.description,
          weights,
          ...(rest !== null && { optimizer: rest }),
          state,
        }),
      );
    },
  });
  await training.catch((error: unknown) => {
    const end = groupFailure();
    if (end !== null)
      record({ type: 'failed', time: new Date().toISOString(), ...reached, message: `${end}.` });
    throw error;
  });
}

/** Loaded on request: it brings SQLite. */
async function trackioStore(path: string, recipe: Recipe) {
  const { openTrackioStore } = await import('../../runs/trackio/store.js');
  return openTrackioStore(path, { recipe, before: readEvents(path) });
}

const progressSchema: z.ZodType<TrainingProgress> = z.strictObject({
  epoch: z.int().min(1),
  epochStep: z.int().min(0),
  step: z.int().min(0),
  lossSum: z.number(),
  accuracySum: z.number(),
  best: z.number().nullable(),
  // Earlier versions did not count them.
  waited: z.int().min(0).default(0),
  watched: z.strictObject({
    last: z
      .strictObject({
        step: z.int().min(1),
        clean: z.number(),
        fgsm: z.number(),
        pgd5: z.number(),
        pgd10: z.number(),
      })
      .nullable(),
    healthy: z.int().min(1).nullable(),
    found: z.int().min(1).nullable(),
  }),
  // Earlier versions did not keep them.
  broken: z.array(z.int().min(0)).default([]),
});

/** The file and step of a checkpoint that an event tells of. */
function checkpointOf(event: RunEvent): string[] {
  return event.type === 'checkpoint' ? [`${event.file} ${event.step}`] : [];
}

/** Whether a run resumed from `state` will record an event again: the end, and epochs that had not finished. */
function comesAgain(event: RunEvent, state: unknown): boolean {
  if (event.type === 'end') return true;
  return event.type === 'epoch' && event.epoch >= progressOf(state, 'the last checkpoint').epoch;
}

/** A stored recipe with the defaults of settings that were added since. A run may go on on another device. */
function complete(stored: unknown, { device }: Recipe): Recipe {
  return { ...parseRecipe(stored, 'the recipe of the run'), device };
}

function progressOf(state: unknown, source: string): TrainingProgress {
  return validate({ schema: progressSchema, input: state, source });
}

/** The model that is validated and saved: the weight average if there is one. */
function keptModel({ model, ema }: Experiment): Model {
  return ema?.model ?? model;
}

/** Prefixes of names in the optimiser's file; the optimiser's own names have none. */
const prefixes = { live: 'live.', objective: 'objective.' } as const;

/** State beside the saved weights: of the optimiser and the objective, and the live weights if an average is saved. */
function restState(
  { model, optimizer, objective, ema }: Experiment,
  group: ProcessGroup,
): Map<string, Tensor> {
  const prefixed = (prefix: string, state: ReadonlyMap<string, Tensor>) =>
    [...state].map(([name, tensor]) => [`${prefix}${name}`, tensor] as const);
  return new Map([
    ...optimizer.state(),
    // Gathered in the order of the batch, as if a single process held all of it.
    ...prefixed(
      prefixes.objective,
      inBatch(objective.state(), (part) => group.allGather(part)),
    ),
    ...(ema ? prefixed(prefixes.live, model.network.state()) : []),
  ]);
}

function inBatch(
  state: ReadonlyMap<string, Tensor>,
  change: (tensor: Tensor) => Tensor,
): Map<string, Tensor> {
  return new Map([...state].map(([name, tensor]) => [name, change(tensor)]));
}

/** Broadcasts the state of rank 0 to every rank: weights, optimiser, objective and progress. */
function followLeader(
  group: ProcessGroup,
  experiment: Experiment,
  progress: TrainingProgress,
): TrainingProgress {
  const { model, optimizer, objective, ema } = experiment;
  const leads = group.rank === 0;
  group.broadcast_([...model.network.state().values(), ...(ema?.model.network.state().values() ?? [])]);
  scope(() => {
    const optimizerState = group.broadcastState(leads ? optimizer.state() : null);
    if (!leads) optimizer.restore(optimizerState);
    // State of the whole batch; each rank takes the part of its own images.
    const ofBatch = group.broadcastState(leads ? objective.state() : null);
    const own = inBatch(ofBatch, (whole) => {
      const length = whole.dimension(0) / group.size;
      return whole.narrow(0, group.rank * length, length);
    });
    objective.restore(inBatch(own, (part) => part.clone()));
  });
  return progressOf(JSON.parse(group.broadcastText(leads ? JSON.stringify(progress) : null)), 'rank 0');
}

/** Restores a run to the state of its checkpoint. */
function restore({ weights, progress, weightsFile }: Checkpoint, experiment: Experiment): TrainingProgress {
  if (progress === null) throw InputError.expected('a checkpoint to go on from', 'the run', 'weights alone');
  const state = progressOf(progress.state, `the checkpoint of ${weightsFile}`);
  const { model, optimizer, objective, ema } = experiment;
  const rest = progress.optimizer ?? [];
  const of = (prefix: string) =>
    rest
      .filter(({ name }) => name.startsWith(prefix))
      .map((array) => ({ ...array, name: array.name.slice(prefix.length) }));
  const own = rest.filter(({ name }) => !Object.values(prefixes).some((prefix) => name.startsWith(prefix)));
  loadWeights(keptModel(experiment).network, weights);
  if (ema) loadWeights(model.network, of(prefixes.live));
  scope(() => {
    optimizer.restore(tensorsOf(own));
    objective.restore(tensorsOf(of(prefixes.objective)));
  });
  return state;
}

function tensorsOf(arrays: readonly NamedArray[]): Map<string, Tensor> {
  return new Map(arrays.map((array) => [array.name, toTensor(array)]));
}

/** What `recipe.device` is called in errors; `--device` sets it. */
const deviceOfRecipe = 'device of the recipe';

interface Launched {
  readonly group: ProcessGroup;
  readonly job: string | null;
  readonly device: string;
}

function begin(path: string, recipe: Recipe, launched: Launched): RunFolder {
  return createRunFolder({ path, recipe, manifest: manifestOf(recipe, launched) });
}

function manifestOf(recipe: Recipe, { group: { size }, job, device }: Launched): Manifest {
  const engine = engineInfo();
  const card = cardName(device);
  return makeManifest({
    engine: { ...engine, ...(card !== null && { card }) },
    device,
    threads: engine.threads,
    seeds: { run: recipe.training.seed, validation: recipe.data.validationSeed },
    chosen: { ...(size > 1 && { ranks: size }), ...(job !== null && { job }) },
  });
}

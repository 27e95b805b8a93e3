import { z } from 'zod';
import { InputError } from './errors.js';
import { type Experiment, type ExperimentOptions, prepare, readImages } from './experiment.js';
import type { NamedArray } from './export/safetensors.js';
import { loadWeights, toArrays, toTensor } from './export/weights.js';
import type { Model } from './models/model.js';
import type { Recipe } from './recipe.js';
import { type Checkpoint, writeCheckpoint } from './runs/checkpoint.js';
import type { RunEvent } from './runs/events.js';
import { type Manifest, makeManifest } from './runs/manifest.js';
import {
  createRunFolder,
  isRunFolder,
  type RunFolder,
  requireUnused,
  resumeRunFolder,
} from './runs/run-folder.js';
import { engineInfo, setThreads } from './tensor/engine.js';
import { scope } from './tensor/scope.js';
import type { Tensor } from './tensor/tensor.js';
import { type Progress, start, train } from './training/train.js';
import { validate } from './validate.js';

/** A training run on disk: a recipe trained into a run folder, from the start or from where it was left. */
export interface TrainingRunOptions extends ExperimentOptions {
  readonly recipe: Recipe;
  /** The run folder. */
  readonly path: string;
  /** Goes on with the run in the folder; one that was never begun is begun. */
  readonly resume: boolean;
  /** Told every event, as it happens. */
  readonly onEvent: (event: RunEvent) => void;
}

/** About how many steps of an epoch are kept in `events.jsonl`. */
const recordedSteps = 100;

/**
 * Trains `recipe` in `path`: recipe and manifest are written before step 0, events as they come, the last and the best
 * checkpoint after each epoch.
 *
 * @throws {InputError} before anything is written, where recipe, data or folder cannot be used.
 */
export async function trainRun(options: TrainingRunOptions): Promise<void> {
  const { recipe, path, interrupted, onEvent } = options;
  const goesOn = options.resume && isRunFolder(path);
  if (!goesOn) requireUnused(path);
  // Images, then the checkpoint, are refused before the engine is loaded.
  const images = await readImages(recipe, options.onProgress);
  const resumed = goesOn ? resumeRunFolder({ path, recipe, comesAgain }) : null;
  using held = resumed?.run ?? null;
  if (recipe.device === 'cuda' && !engineInfo().cuda)
    throw InputError.expected('cpu', 'device', recipe.device, 'This libtorch has no CUDA.');
  if (recipe.threads !== null) setThreads(recipe.threads);

  using experiment = prepare(recipe, images, options);
  const { model, epochs } = experiment;
  const stepsPerEpoch =
    experiment.epochSteps ??
    Math.floor(experiment.data.count / experiment.batch) * experiment.objective.replays;
  using run = held ?? begin(path, recipe);
  const checkpoint = resumed?.checkpoint ?? null;

  const every = Math.max(1, Math.floor(stepsPerEpoch / recordedSteps));
  const record = (event: RunEvent) => {
    if (event.type !== 'step' || event.step % every === 0) run.appendEvent(event);
    onEvent(event);
  };
  const progress = checkpoint === null ? start : restore(checkpoint, experiment);
  const time = new Date().toISOString();
  if (checkpoint !== null) record({ type: 'resume', time, epoch: progress.epoch, step: progress.step });
  else record({ type: 'start', time, epochs, stepsPerEpoch, parameters: model.parameterCount });

  await train({
    ...experiment,
    progress,
    record,
    interrupted,
    checkpoint(name, state) {
      const { classes, shape, normalise, ...rest } = model.description;
      writeCheckpoint({
        run: path,
        name,
        step: state.step,
        model: {
          ...rest,
          classes: [...classes],
          shape: [...shape],
          normalise: normalise && { mean: [...normalise.mean], std: [...normalise.std] },
        },
        weights: toArrays(keptModel(experiment).network.state()),
        // Only the last checkpoint is gone on from.
        ...(name === 'last' ? { optimizer: scope(() => toArrays(restState(experiment))) } : {}),
        state,
      });
    },
  });
}

const progressSchema: z.ZodType<Progress> = z.strictObject({
  epoch: z.int().min(1),
  epochStep: z.int().min(0),
  step: z.int().min(0),
  lossSum: z.number(),
  accuracySum: z.number(),
  best: z.number().nullable(),
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
});

/** Whether a run that goes on from `state` will record an event again: the end, and epochs that were not over. */
function comesAgain(event: RunEvent, state: unknown): boolean {
  if (event.type === 'end') return true;
  return event.type === 'epoch' && event.epoch >= progressOf(state, 'the last checkpoint').epoch;
}

function progressOf(state: unknown, source: string): Progress {
  return validate({ schema: progressSchema, input: state, source });
}

/** What is measured and kept: the average, where there is one. */
function keptModel({ model, ema }: Experiment): Model {
  return ema?.model ?? model;
}

/** Where a name in the optimiser's file comes from; the optimiser's own have no prefix. */
const prefixes = { live: 'live.', objective: 'objective.' } as const;

/** Beside the weights that are kept: the optimiser, what the objective carries, the live weights of an average. */
function restState({ model, optimizer, objective, ema }: Experiment): Map<string, Tensor> {
  const prefixed = (prefix: string, state: ReadonlyMap<string, Tensor>) =>
    [...state].map(([name, tensor]) => [`${prefix}${name}`, tensor] as const);
  return new Map([
    ...optimizer.state(),
    ...prefixed(prefixes.objective, objective.state()),
    ...(ema ? prefixed(prefixes.live, model.network.state()) : []),
  ]);
}

/** Puts a run back to where its checkpoint was written. */
function restore({ weights, progress, weightsFile }: Checkpoint, experiment: Experiment): Progress {
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

function begin(path: string, recipe: Recipe): RunFolder {
  return createRunFolder({ path, recipe, manifest: manifestOf(recipe) });
}

function manifestOf(recipe: Recipe): Manifest {
  const engine = engineInfo();
  return makeManifest({
    engine: { ...engine },
    device: recipe.device,
    threads: engine.threads,
    seeds: { run: recipe.training.seed, validation: recipe.data.validationSeed },
    chosen: {},
  });
}

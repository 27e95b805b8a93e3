import { parseAttack } from '../../attacks/attack.js';
import { norms } from '../../attacks/norms.js';
import { subset } from '../../data/dataset.js';
import { DatasetTensors } from '../../data/dataset-tensors.js';
import { indicesOfRank, type ProcessGroup, singleProcess } from '../../distributed/process-group.js';
import { InterruptedError } from '../../errors.js';
import { evaluate } from '../../evaluation/evaluate.js';
import type { ModelDescription } from '../../models/description.js';
import { Model } from '../../models/model.js';
import { networkOf } from '../../recipe/network-description.js';
import type { Recipe } from '../../recipe/recipe.js';
import { Ema } from '../../training/ema.js';
import { Guard } from '../../training/overfitting/guard.js';
import type { TrainOptions } from '../../training/train.js';
import { type InitialWeights, initialise } from '../model/initial-weights.js';
import { buildObjective } from './build-objective.js';
import { buildOptimizer } from './build-optimizer.js';
import { classWeightsOf } from './class-weights.js';
import { requireRoomForStep } from './require-room.js';
import { requireSeveralValues } from './several-values.js';
import { channelStatistics, openTraining, type TrainingData } from './training-data.js';

/** The parts of a training run. This is the only file that knows all of them. */
export type Experiment = Omit<TrainOptions, 'progress' | 'record' | 'checkpoint' | 'interrupted'> &
  Disposable;

export interface ExperimentOptions {
  /** Initial weights in place of a random initialisation. */
  readonly init?: InitialWeights | undefined;
  /** With `init`: initialise the last layer randomly all the same. @default false */
  readonly newHead?: boolean;
  /** `cpu` or `cuda:N`. */
  readonly device: string;
  readonly interrupted: () => boolean;
  /** Processes that train together. @default a single process */
  readonly group?: ProcessGroup;
  /** Progress of reading images and of validation. */
  readonly onProgress?: (progress: {
    readonly label: string;
    readonly done: number;
    readonly total: number;
    readonly robust?: number;
  }) => void;
}

/** Builds the parts of a run; writes nothing. */
export function buildExperiment(
  recipe: Recipe,
  images: TrainingData,
  options: ExperimentOptions,
): Experiment {
  const { model, threat, training } = recipe;
  const { training: chosen } = images;
  const { device, onProgress, group = singleProcess } = options;
  const description: ModelDescription = {
    ...networkOf(recipe),
    classes: chosen.classes,
    shape: chosen.shape,
    normalise:
      model.normalise === 'none'
        ? null
        : model.normalise === 'dataset'
          ? channelStatistics(chosen)
          : model.normalise,
  };
  requireRoomForStep(recipe, { description, ranks: group.size, device });
  requireSeveralValues(description, recipe, group);
  const network = Model.create(description, { seed: training.seed, device });
  if (options.init !== undefined) initialise(network, options.init, { newHead: options.newHead ?? false });

  const ema = training.ema === null ? null : new Ema(network, training.ema);
  /** The model that is validated and saved: the weight average if there is one. */
  const kept = ema?.model ?? network;

  // Each rank validates its share of the examples; the counts are summed.
  const measured = images.validation?.ids.length ?? 0;
  const validation =
    images.validation === null
      ? null
      : new DatasetTensors(subset(images.validation, indicesOfRank(measured, group)), device);
  const attack = parseAttack(recipe.validation.attack);
  const norm = norms[threat.norm];

  const countRight = async (validation: DatasetTensors) => {
    if (validation.count === 0) return { clean: 0, robust: 0 };
    using folded = kept.fold();
    const result = await evaluate({ exact: kept.classify, fast: folded.classify }, validation, {
      attacks: [attack],
      threat: { norm, epsilon: threat.epsilon },
      seed: training.seed,
      batch: recipe.validation.batch,
      interrupted: options.interrupted,
      onProgress: ({ stage, done, total, robust }) =>
        onProgress?.({ label: `validation ${stage}`, done, total, robust }),
    });
    const right = result.perExample.filter((example) => example.clean);
    const robust = right.filter(({ brokenBy }) => brokenBy === null);
    return { clean: right.length, robust: robust.length };
  };

  async function* measure(): AsyncGenerator<readonly [string, number]> {
    if (validation === null) return;
    const own = await countRight(validation).catch((error: unknown) => {
      // The other ranks must learn of it in the all-reduce that follows.
      if (error instanceof InterruptedError) return error;
      throw error;
    });
    const counts = own instanceof InterruptedError ? [1, 0, 0] : [0, own.clean, own.robust];
    const [stopped = 0, cleanCount = 0, robustCount = 0] = group.allReduce(counts);
    if (own instanceof InterruptedError) throw own;
    if (stopped > 0) throw new InterruptedError('Interrupted on another rank.');
    const clean = ['validation/clean', cleanCount / measured] as const;
    const threatText = `${threat.norm}-${threat.epsilonText.replace('/', '-')}`;
    const robust = [`validation/robust/${threatText}/${attack.name}`, robustCount / measured] as const;
    // The last one selects the best epoch: robust accuracy of a network without adversarial training is near chance.
    yield* training.objective === 'clean' ? [robust, clean] : [clean, robust];
  }

  const trained = openTraining(chosen, recipe, { device, sharing: group.localSize });
  const objective = buildObjective(recipe, group);
  const optimizer = buildOptimizer(training.optimizer, network);
  const guarded = 'guard' in training ? training.guard : null;
  return {
    model: network,
    data: trained.source,
    objective,
    optimizer,
    schedule: training.schedule,
    epochs: training.epochs,
    batch: training.batch,
    epochSteps: training.epochSteps,
    accumulate: training.accumulate,
    clipNorm: training.clipNorm,
    classWeights: classWeightsOf(recipe, chosen),
    ema,
    guard:
      guarded &&
      trained.guarded &&
      new Guard({
        data: trained.guarded,
        examples: guarded.examples,
        norm,
        epsilon: threat.epsilon,
        epsilonText: threat.epsilonText,
        seed: training.seed,
        batch: training.batch / training.accumulate / group.size,
        group,
      }),
    guardEvery: guarded?.every ?? null,
    guardAfter: 'attack' in training ? training.attack.epsilonWarmup : 0,
    seed: training.seed,
    group,
    ghost: group.size > 1 && training.batchNorm !== 'synchronised',
    patience: training.patience,
    checkpointEvery: training.checkpointEvery,
    evaluate: measure,
    [Symbol.dispose]: () => {
      for (const part of [objective, optimizer, ema, validation, trained, network]) part?.[Symbol.dispose]();
    },
  };
}

import type { Activation } from '../../activations/activation.js';
import { parseAttack, withSurrogate } from '../../attacks/attack.js';
import { modeOf } from '../../attacks/autoattack.js';
import { type NormName, norms } from '../../attacks/norms.js';
import type { Dataset } from '../../data/dataset.js';
import { someOf } from '../../data/dataset-error.js';
import { DatasetTensors } from '../../data/dataset-tensors.js';
import { pixelsDigest } from '../../data/digest.js';
import { type LoadOptions, loadDataset } from '../../data/load-dataset.js';
import type { ProcessGroup } from '../../distributed/process-group.js';
import { engineInfo } from '../../engine/engine-info.js';
import { InputError, InterruptedError } from '../../errors.js';
import { checkModel } from '../../evaluation/checks/check-model.js';
import { checkResults } from '../../evaluation/checks/check-results.js';
import { type Evaluation, type EvaluationProgress, evaluate } from '../../evaluation/evaluate.js';
import {
  createEvaluationFolder,
  type EvaluationFolder,
  requireUnusedFolder,
  resumeEvaluationFolder,
} from '../../evaluation/folder/evaluation-folder.js';
import type { EvaluationManifest, EvaluationSettings } from '../../evaluation/folder/manifest.js';
import type { BatchResult, EngineResult, EvaluationResult } from '../../evaluation/result.js';
import { perClass } from '../../evaluation/summary.js';
import { tuneBatchSize } from '../../evaluation/tune-batch-size.js';
import { noPreprocessing } from '../../models/preprocessing.js';
import { commandLine } from '../../provenance/command-line.js';
import { makeManifest, satinCommit } from '../../provenance/manifest.js';
import { version } from '../../provenance/version.js';
import type { Epsilon } from '../../user-input/epsilon.js';
import type { AttackableModel } from '../model/open-model.js';
import { requireSameEvaluation } from '../require-same-on-ranks.js';

export interface EvaluateRunOptions {
  readonly model: AttackableModel;
  readonly data: Dataset;
  /** `fgsm`, `pgd-50`, in the order in which they are run. */
  readonly attacks: readonly string[];
  /** Activations through whose derivative every attack is tried once more. @default none */
  readonly surrogates?: readonly Activation[];
  readonly norm: NormName;
  readonly epsilon: Epsilon;
  readonly seed: number;
  /** Images a batch; `auto` measures which size is fast. Verdicts do not depend on it. @default 'auto' */
  readonly batch?: number | 'auto';
  /** Where everything is kept as it is found; `resume` goes on with what is kept there. @default nowhere */
  readonly folder?: { readonly path: string; readonly resume: boolean };
  /** Runs each attack on what others broke before it too. @default false */
  readonly alone?: boolean;
  /** `full` looks at the monotone set and the loss around the images too. @default 'quick' */
  readonly checks?: 'quick' | 'full';
  /** Told after each attack of the full checks. */
  readonly onChecks?: (done: number, total: number) => void;
  readonly interrupted: () => boolean;
  /** Who measures a share of the examples each. @default alone */
  readonly ranks?: ProcessGroup;
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

export interface EvaluationRun {
  readonly result: EvaluationResult;
  readonly evaluation: Evaluation;
}

/** Loads the images that a model is measured on, in its own size where it is known, and the first `count` of them. */
export async function loadExamples(
  model: Pick<AttackableModel, 'shape' | 'classes'>,
  options: LoadOptions & { readonly count: number | null; readonly seed: number },
): Promise<Dataset> {
  const { count, seed, ...load } = options;
  const { shape, classes } = model;
  const size = shape && ([shape[1], shape[2]] as const);
  const form =
    size === null
      ? {}
      : load.name === 'folder'
        ? { size, channels: shape?.[0] === 1 ? (1 as const) : (3 as const) }
        : load.name === 'imagenet'
          ? { size }
          : {};
  const examples = count === null ? undefined : { count, seed };
  const chosen = await loadDataset({ ...load, ...form, examples });
  if (shape !== null && chosen.shape.join() !== shape.join())
    throw InputError.expected(
      `images of shape [${shape.join(', ')}], as the model takes them,`,
      chosen.name,
      `[${chosen.shape.join(', ')}]`,
    );
  if (classes !== null && chosen.classes.join('\n') !== classes.join('\n'))
    throw new InputError(
      'invalid-input',
      `Expected the model's ${classes.length} classes (${someOf(classes, 20)}) for ${chosen.name} but received ${chosen.classes.length} (${someOf(chosen.classes, 20)}).`,
    );
  return chosen;
}

/**
 * Measures a model and returns its result.
 *
 * @throws {InputError} where `folder` holds another evaluation, or one already.
 * @throws {InterruptedError} which says how to go on.
 */
export async function evaluateRun(options: EvaluateRunOptions): Promise<EvaluationRun> {
  const { model, data, surrogates = [], norm, epsilon, seed, interrupted, onProgress } = options;
  const { alone = false, checks = 'quick', onChecks } = options;
  const own = options.attacks.map(parseAttack);
  const smoothed = own.filter(({ kind }) => kind !== 'square'); // which asks for no derivative
  const attacks = [
    ...own,
    ...surrogates.flatMap(({ name }) => smoothed.map((attack) => withSurrogate(attack, name))),
  ];
  const settings = settingsOf(options);
  if (options.ranks !== undefined) requireSameEvaluation(options.ranks, settings);
  if (options.folder?.resume === false) requireUnusedFolder(options.folder.path, '--save-adversarial');
  using resumed =
    options.folder?.resume === true
      ? resumeEvaluationFolder(options.folder.path, { data, settings, batch: options.batch ?? 'auto' })
      : null;

  using tensors = new DatasetTensors(data);
  using fast = model.forAttacks();
  const smooth = surrogates.map((derivative) => ({
    name: derivative.name,
    form: model.forAttacks({ derivative }),
  }));
  const subject = {
    exact: model.classify,
    fast: fast.classify,
    surrogates: new Map(smooth.map(({ name, form: { classify } }) => [name, classify])),
  };
  const threat = { norm: norms[norm], epsilon: epsilon.epsilon };
  const measure = async () => {
    const checked = await checkModel(subject, tensors, {
      threat,
      seed,
      full: checks === 'full',
      interrupted,
      ...(onChecks !== undefined && { onProgress: onChecks }),
    });
    const batch = resumed === null ? batchOf(options, checked.subject.fast, tensors) : batchBefore(resumed);
    const random = resumed?.manifest.chosen.random ?? checked.subject.random === true;
    using created =
      options.folder?.resume === false
        ? createEvaluationFolder(options.folder.path, {
            data,
            manifest: manifestOf(options, { settings, batch, random, device: tensors.device }),
          })
        : null;
    const folder = created ?? resumed;
    const found = await evaluate({ ...checked.subject, random }, tensors, {
      attacks,
      threat,
      seed,
      batch: batch.size,
      alone,
      interrupted,
      ...(options.ranks !== undefined && { ranks: options.ranks }),
      ...(folder !== null && { ledger: folder.ledger }),
      ...(onProgress === undefined ? {} : { onProgress }),
    }).catch((error: unknown) => {
      throw folder !== null && error instanceof InterruptedError ? howToGoOn(model.name, folder) : error;
    });
    const { adversarial: _, ...measured } = found;
    const { flags, classes } = checked;
    const result: EvaluationResult = {
      satin: version,
      model: model.name,
      modelDigest: model.digest,
      data: data.name,
      pixelsDigest: settings.pixelsDigest,
      examples: data.ids.length,
      norm,
      ...epsilon,
      seed,
      mode: modeOf(attacks, classes),
      clean: measured.clean,
      robust: measured.robust,
      interval: measured.interval,
      perClass: perClass(measured.perExample, data.classes),
      attacks: measured.attacks,
      flags: [...flags, ...checkResults(found, { attacks, classes })],
      perExample: measured.perExample,
      batch,
      engine: engineResult(tensors.device),
      command: folder === null ? commandLine() : commandLine(folder.manifest.command.slice(1)),
      seconds: measured.seconds,
    };
    folder?.finish(result);
    return { evaluation: found, result };
  };
  return await measure().finally(() => {
    for (const each of smooth) each.form[Symbol.dispose]();
  });
}

/** All that an evaluation's outcome hangs on, as the folder keeps it. */
function settingsOf(options: EvaluateRunOptions): EvaluationSettings {
  const { model, data, attacks, surrogates = [], norm, epsilon, seed } = options;
  const { alone = false, checks = 'quick' } = options;
  const { range, normalise } = model.input ?? noPreprocessing;
  return {
    modelDigest: model.digest,
    input:
      model.input === null
        ? null
        : {
            range: [...range],
            normalise: normalise === null ? null : { mean: [...normalise.mean], std: [...normalise.std] },
          },
    data: data.name,
    classes: [...data.classes],
    examples: data.ids.length,
    pixelsDigest: pixelsDigest(data),
    norm,
    epsilon: epsilon.epsilon,
    seed,
    attacks: [...attacks],
    surrogates: surrogates.map(({ name }) => name),
    alone,
    checks,
  };
}

function manifestOf(
  { model, epsilon, seed }: EvaluateRunOptions,
  chosen: {
    readonly settings: EvaluationSettings;
    readonly batch: BatchResult;
    readonly random: boolean;
    readonly device: string;
  },
): EvaluationManifest {
  const { settings, batch, random, device } = chosen;
  const engine = engineInfo();
  const facts = { engine: { ...engine }, device, threads: engine.threads, seeds: { run: seed } };
  return {
    ...makeManifest({ ...facts, chosen: {} }),
    chosen: {
      batch: batch.size,
      measured: batch.measured === null ? null : { ...batch.measured },
      random,
    },
    model: model.name,
    epsilonText: epsilon.epsilonText,
    evaluation: settings,
  };
}

function batchOf(
  { batch = 'auto' }: EvaluateRunOptions,
  classify: AttackableModel['classify'],
  tensors: DatasetTensors,
): BatchResult {
  return batch === 'auto' ? tuneBatchSize(classify, tensors) : { size: batch, measured: null };
}

function batchBefore({ manifest: { chosen } }: EvaluationFolder): BatchResult {
  return { size: chosen.batch, measured: chosen.measured };
}

function howToGoOn(model: string, { path }: EvaluationFolder): InterruptedError {
  const again = commandLine(['evaluate', model, '--resume', path]);
  return new InterruptedError(`Interrupted; what was found is in ${path}. Go on with: ${again}`);
}

function engineResult(device: string): EngineResult {
  const { libtorch, capability, threads } = engineInfo();
  return { libtorch, capability, threads, device, node: process.versions.node, commit: satinCommit() };
}

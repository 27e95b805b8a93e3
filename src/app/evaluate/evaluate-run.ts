import { parseAttack, withSurrogate } from '../../attacks/attack.js';
import { modeOf } from '../../attacks/autoattack.js';
import { norms } from '../../attacks/norms.js';
import { DatasetTensors } from '../../data/dataset-tensors.js';
import type { ProcessGroup } from '../../distributed/process-group.js';
import { cardName } from '../../engine/device.js';
import { engineInfo } from '../../engine/engine-info.js';
import { setTensorFloat32 } from '../../engine/precision.js';
import { InterruptedError } from '../../errors.js';
import { checkModel } from '../../evaluation/checks/check-model.js';
import { checkResults } from '../../evaluation/checks/check-results.js';
import { notCompared } from '../../evaluation/checks/not-compared.js';
import { type Evaluation, type EvaluationProgress, evaluate } from '../../evaluation/evaluate.js';
import type { EvaluationFolder } from '../../evaluation/folder/evaluation-folder.js';
import type {
  EvaluationManifest,
  EvaluationOutputs,
  EvaluationSettings,
} from '../../evaluation/folder/manifest.js';
import type { NewEvaluationFolder } from '../../evaluation/folder/new-folder.js';
import type { StoredEvaluationFolder } from '../../evaluation/folder/resume-folder.js';
import { requireSameDevice } from '../../evaluation/folder/same-device.js';
import { withPredictions } from '../../evaluation/predictions.js';
import type { BatchResult, EngineResult, EvaluationResult } from '../../evaluation/result.js';
import { perClass } from '../../evaluation/summary.js';
import { tuneBatchSize } from '../../evaluation/tune-batch-size.js';
import { commandLine } from '../../provenance/command-line.js';
import { makeManifest, satinCommit } from '../../provenance/manifest.js';
import { version } from '../../provenance/version.js';
import { requireNormName } from '../../user-input/norm-name.js';
import { requireArgument, requireList, requireOptional } from '../../user-input/require-argument.js';
import { type ExpectedLogits, requireExpectedLogits } from '../model/expected-logits.js';
import type { AttackableModel } from '../model/open-model.js';
import { requirePrecision } from '../require-precision.js';
import { requireSameEvaluation } from '../require-same-on-ranks.js';
import { type EvaluationChoice, evaluationSettings } from './evaluation-settings.js';

export interface EvaluateRunOptions extends EvaluationChoice {
  /** Batch size; `auto` measures which one is fast. Verdicts do not depend on it. @default 'auto' */
  readonly batch?: number | 'auto';
  /** What the model's network answers in another program; compared before anything is measured. @default not compared */
  readonly expected?: ExpectedLogits;
  /** Where verdicts are stored as they are found, or the evaluation to resume. @default nothing is stored */
  readonly folder?: NewEvaluationFolder | StoredEvaluationFolder;
  /** What is written beside the folder in the end, which the folder remembers. @default nothing */
  readonly outputs?: EvaluationOutputs;
  /** Called after each attack of the full checks. */
  readonly onChecks?: (done: number, total: number) => void;
  readonly interrupted: () => boolean;
  /** Processes that share the examples. @default a single process */
  readonly group?: ProcessGroup;
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

export interface EvaluationRun {
  readonly result: EvaluationResult;
  readonly evaluation: Evaluation;
}

/**
 * Evaluates a model and returns the result.
 *
 * @throws {InputError} if `folder` holds an evaluation with other settings.
 * @throws {InterruptedError} naming the folder that holds what was found.
 */
export async function evaluateRun(options: EvaluateRunOptions): Promise<EvaluationRun> {
  requireArgument(options, 'options', 'evaluateRun');
  requireArgument(options.model, 'attackable', 'evaluateRun');
  requireArgument(options.data, 'dataset', 'evaluateRun');
  requireList(options.attacks, 'text', 'the attacks');
  requireNormName(options.norm, 'the norm');
  requireArgument(options.epsilon, 'options', 'epsilon, as parseEpsilon returns it,');
  requireArgument(options.epsilon.epsilon, 'number', 'epsilon.epsilon');
  requireArgument(options.epsilon.epsilonText, 'text', 'epsilon.epsilonText');
  requireArgument(options.seed, 'whole', 'the seed');
  if (options.batch !== 'auto') requireOptional(options.batch, 'count', 'the batch size');
  requireArgument(options.interrupted, 'function', 'interrupted');
  const { model, data, surrogates = [], norm, epsilon, seed, interrupted, onProgress } = options;
  const { alone = false, checks = 'quick', precision = 'float32', onChecks } = options;
  const { device } = model;
  requirePrecision(precision, { device, name: '`precision`' });
  const own = options.attacks.map(parseAttack);
  const smoothed = own.filter(({ kind }) => kind !== 'square'); // which asks for no derivative
  const attacks = [
    ...own,
    ...surrogates.flatMap(({ name }) => smoothed.map((attack) => withSurrogate(attack, name))),
  ];
  const settings = evaluationSettings(options);
  if (options.group !== undefined) requireSameEvaluation(options.group, settings);
  const { folder: target } = options;
  using resumed =
    target?.kind === 'stored' ? target.resume({ data, settings, batch: options.batch ?? 'auto' }) : null;
  if (resumed !== null) requireSameDevice(resumed, { device, card: cardName(device) });

  using tensors = new DatasetTensors(data, device);
  const form = precision === 'bfloat16' ? { computeDtype: precision } : {};
  using fast = model.forAttacks(form);
  const smooth = surrogates.map((derivative) => ({
    name: derivative.name,
    form: model.forAttacks({ ...form, derivative }),
  }));
  const subject = {
    exact: model.classify,
    fast: fast.classify,
    surrogates: new Map(smooth.map(({ name, form: { classify } }) => [name, classify])),
  };
  const threat = { norm: norms[norm], epsilon: epsilon.epsilon };
  if (options.expected !== undefined) requireExpectedLogits(model, options.expected);
  const isCompared = options.expected !== undefined;
  const measure = async () => {
    const checked = await checkModel(subject, tensors, {
      threat,
      seed,
      full: checks === 'full',
      attacks,
      interrupted,
      ...(onChecks !== undefined && { onProgress: onChecks }),
    });
    const batch = resumed === null ? batchOf(options, checked.subject.fast, tensors) : batchBefore(resumed);
    const random = resumed?.manifest.chosen.random ?? checked.subject.random === true;
    using created =
      target?.kind === 'new'
        ? target.create({
            data,
            manifest: manifestOf(options, { settings, batch, random, device }),
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
      ...(options.group !== undefined && { group: options.group }),
      ...(folder !== null && { ledger: folder.ledger }),
      ...(onProgress === undefined ? {} : { onProgress }),
    }).catch((error: unknown) => {
      throw folder !== null && error instanceof InterruptedError
        ? new InterruptedError(`Interrupted; what was found is in ${folder.path}.`)
        : error;
    });
    const { adversarial: _, ...measured } = found;
    const { flags, classes } = checked;
    const answered = random
      ? measured.perExample
      : withPredictions(measured.perExample, {
          classify: model.classify,
          data: tensors,
          adversarial: found.adversarial,
          batch: batch.size,
          ...(options.group !== undefined && { group: options.group }),
        });
    const files = data.files ?? folder?.manifest.files;
    const result: EvaluationResult = {
      satin: version,
      model: model.name,
      modelDigest: model.digest,
      weights: model.weights ?? null,
      data: data.name,
      pixelsDigest: settings.pixelsDigest,
      examples: data.ids.length,
      norm,
      ...epsilon,
      seed,
      // The reference judges a randomised model by one pass, so no set stands for 20.
      mode: random ? 'custom' : modeOf(attacks, classes, norm),
      clean: measured.clean,
      robust: measured.robust,
      interval: measured.interval,
      perClass: perClass(measured.perExample, data.classes),
      attacks: measured.attacks,
      flags: [
        ...notCompared({ isImported: model.isImported === true, isCompared }),
        ...flags,
        ...checkResults(found, { attacks, classes }),
      ],
      warnings: folder?.manifest.warnings ?? data.warnings,
      perExample: answered.map((example, index) => ({
        ...example,
        ...(files != null && { file: files[index]! }),
      })),
      batch,
      engine: engineResult(device),
      precision: { search: precision, verdict: 'float32' },
      search: fast.ranBy,
      command: folder === null ? commandLine() : commandLine(folder.manifest.command.slice(1)),
      seconds: measured.seconds,
    };
    folder?.finish(result);
    return { evaluation: found, result };
  };
  using _setting = setTensorFloat32(precision === 'tf32');
  return await measure().finally(() => {
    for (const each of smooth) each.form[Symbol.dispose]();
  });
}

function manifestOf(
  { model, data, epsilon, seed, outputs }: EvaluateRunOptions,
  chosen: {
    readonly settings: EvaluationSettings;
    readonly batch: BatchResult;
    readonly random: boolean;
    readonly device: string;
  },
): EvaluationManifest {
  const { settings, batch, random, device } = chosen;
  const engine = engineInfo();
  const card = cardName(device);
  const facts = {
    engine: { ...engine, ...(card !== null && { card }) },
    device,
    threads: engine.threads,
    seeds: { run: seed },
  };
  return {
    ...makeManifest({ ...facts, chosen: {} }),
    chosen: {
      batch: batch.size,
      measured: batch.measured === null ? null : { ...batch.measured },
      random,
    },
    model: model.name,
    warnings: [...data.warnings],
    outputs: outputs ?? null,
    files: data.files === undefined ? null : [...data.files],
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

function engineResult(device: string): EngineResult {
  const { libtorch, capability, threads } = engineInfo();
  const card = cardName(device);
  return { libtorch, capability, threads, device, card, node: process.versions.node, commit: satinCommit() };
}

import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Activation } from './activations/activation.js';
import { parseAttack, through } from './attacks/attack.js';
import { modeOf } from './attacks/autoattack.js';
import { type NormName, norms } from './attacks/norms.js';
import { commandLine } from './command-line.js';
import { chooseExamples } from './data/choose.js';
import { type Dataset, subset } from './data/dataset.js';
import { pixelsDigest } from './data/digest.js';
import { type LoadOptions, loadDataset } from './data/sets.js';
import { DatasetTensors } from './data/tensors.js';
import type { Epsilon } from './epsilon.js';
import { InputError } from './errors.js';
import { checkModel } from './evaluation/checks/check-model.js';
import { checkResults } from './evaluation/checks/check-results.js';
import { type Evaluation, type EvaluationProgress, evaluate } from './evaluation/evaluate.js';
import { perClass } from './evaluation/per-class.js';
import type { EngineResult, EvaluationResult } from './evaluation/result.js';
import { safetensorsParts } from './export/safetensors.js';
import type { MeasuredModel } from './measured-model.js';
import { writeFileDurably, writeJsonDurably } from './runs/durable-file.js';
import { commitOfSatin } from './runs/manifest.js';
import { engineInfo } from './tensor/engine.js';
import { version } from './version.js';

export interface EvaluationRunOptions {
  readonly model: MeasuredModel;
  readonly data: Dataset;
  /** `fgsm`, `pgd-50`, in the order in which they are run. */
  readonly attacks: readonly string[];
  /** Activations through whose derivative every attack is tried once more. @default none */
  readonly surrogates?: readonly Activation[];
  readonly norm: NormName;
  readonly epsilon: Epsilon;
  readonly seed: number;
  readonly batch: number;
  /** Runs each attack on what others broke before it too. @default false */
  readonly alone?: boolean;
  /** `full` looks at the monotone set and the loss around the images too. @default 'quick' */
  readonly checks?: 'quick' | 'full';
  /** Told after each attack of the full checks. */
  readonly onChecks?: (done: number, total: number) => void;
  readonly interrupted: () => boolean;
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

export interface EvaluationRun {
  readonly result: EvaluationResult;
  readonly evaluation: Evaluation;
}

/** Loads the images that a model is measured on, in its own size where it is known, and the first `count` of them. */
export async function loadExamples(
  model: Pick<MeasuredModel, 'shape' | 'classes'>,
  options: LoadOptions & { readonly count: number | null; readonly seed: number },
): Promise<Dataset> {
  const { count, seed, ...load } = options;
  const { shape, classes } = model;
  const form =
    load.name === 'folder' && shape !== null
      ? { size: [shape[1], shape[2]] as const, channels: shape[0] === 1 ? (1 as const) : (3 as const) }
      : {};
  const whole = await loadDataset({ ...load, ...form });
  if (shape !== null && whole.shape.join() !== shape.join())
    throw InputError.expected(
      `images of shape [${shape.join(', ')}], as the model takes them,`,
      whole.name,
      `[${whole.shape.join(', ')}]`,
    );
  if (classes !== null && whole.classes.join('\n') !== classes.join('\n'))
    throw InputError.expected(
      `the model's classes (${classes.join(', ')})`,
      whole.name,
      whole.classes.join(', '),
    );
  return count === null
    ? whole
    : subset(whole, chooseExamples(whole, Math.min(count, whole.ids.length), { seed }));
}

/** Measures a model and makes the result that `--json` writes. */
export async function evaluationRun(options: EvaluationRunOptions): Promise<EvaluationRun> {
  const { model, data, surrogates = [], norm, epsilon, seed, batch, interrupted, onProgress } = options;
  const { alone = false, checks = 'quick', onChecks } = options;
  const own = options.attacks.map(parseAttack);
  const smoothed = own.filter(({ kind }) => kind !== 'square'); // which asks for no derivative
  const attacks = [
    ...own,
    ...surrogates.flatMap(({ name }) => smoothed.map((attack) => through(attack, name))),
  ];
  using tensors = new DatasetTensors(data);
  using fast = model.forAttacks();
  const smooth = surrogates.map((derivative) => ({
    name: derivative.name,
    form: model.forAttacks({ derivative }),
  }));
  const subject = {
    classify: model.classify,
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
    const found = await evaluate(checked.subject, tensors, {
      attacks,
      threat,
      seed,
      batch,
      alone,
      interrupted,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    const { flags, classes } = checked;
    return { evaluation: found, classes, flags: [...flags, ...checkResults(found, { attacks, classes })] };
  };
  const { evaluation, classes, flags } = await measure().finally(() => {
    for (const each of smooth) each.form[Symbol.dispose]();
  });
  const { adversarial: _, ...measured } = evaluation;
  return {
    evaluation,
    result: {
      satin: version,
      model: model.name,
      modelDigest: model.digest,
      data: data.name,
      pixelsDigest: pixelsDigest(data),
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
      flags,
      perExample: measured.perExample,
      batch: { size: batch, measured: null },
      engine: engineResult(tensors.device),
      command: commandLine(),
      seconds: measured.seconds,
    },
  };
}

function engineResult(device: string): EngineResult {
  const { libtorch, capability, threads } = engineInfo();
  return { libtorch, capability, threads, device, node: process.versions.node, commit: commitOfSatin() };
}

/** @throws {InputError} where a folder that shall be written to holds something already. */
export function requireEmptyFolder(path: string, name: string): void {
  if (existsSync(path) && (!statSync(path).isDirectory() || readdirSync(path).length > 0))
    throw InputError.expected('a folder that is empty or does not exist yet', name, path);
}

/**
 * Keeps the adversarial images as float32 in `adversarial.safetensors` (`images` [K, C, H, W], `ids`, `labels`), and the
 * result beside them.
 */
export function saveAdversarial(folder: string, data: Dataset, { result, evaluation }: EvaluationRun): void {
  requireEmptyFolder(folder, '--save-adversarial');
  mkdirSync(folder, { recursive: true });
  const found = [...evaluation.adversarial].sort(([a], [b]) => a - b);
  const bytes = Buffer.concat(
    found.map(([, { buffer, byteOffset, byteLength }]) => Buffer.from(buffer, byteOffset, byteLength)),
  );
  const column = (name: string, value: (place: number) => number) => {
    const values = BigInt64Array.from(found, ([place]) => BigInt(value(place)));
    return { name, dtype: 'I64' as const, shape: [found.length], bytes: new Uint8Array(values.buffer) };
  };
  const parts = safetensorsParts(
    [
      { name: 'images', dtype: 'F32', shape: [found.length, ...data.shape], bytes },
      column('ids', (place) => data.ids[place]!),
      column('labels', (place) => data.labels[place]!),
    ],
    { data: result.data, pixelsDigest: result.pixelsDigest, norm: result.norm, epsilon: result.epsilonText },
  );
  writeFileDurably(join(folder, 'adversarial.safetensors'), parts);
  writeJsonDurably(join(folder, 'evaluation.json'), result);
}

import { basename, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseActivation } from '../../activations/parse.js';
import { comparisonAttacks } from '../../attacks/comparison-attacks.js';
import type { Dataset } from '../../data/dataset.js';
import type { BrokenRule } from '../../data/image-rules.js';
import type { LoadOptions } from '../../data/load-dataset.js';
import { InputError } from '../../errors.js';
import type { EvaluationProgress } from '../../evaluation/evaluate.js';
import { readOriginals } from '../../evaluation/folder/images.js';
import type { EvaluationResult } from '../../evaluation/result.js';
import { imagenetForm } from '../../recipe/imagenet-data.js';
import type { Recipe } from '../../recipe/recipe.js';
import type { RunDifference, ThreatModel } from '../../report/input.js';
import { renderReport } from '../../report/training/page.js';
import type { Checkpoint } from '../../runs/checkpoint.js';
import { weightsOrigin } from '../../runs/weights-origin.js';
import { epsilonCurve } from '../evaluate/epsilon-curve.js';
import { loadExamples, requireFits } from '../evaluate/load-examples.js';
import { checkpointModel } from '../model/checkpoint-model.js';
import { type AttackableModel, attackableModel } from '../model/open-model.js';
import { keptOrMeasured, type StatedEvaluation, statedEvaluations } from './kept-evaluations.js';
import { type MeasuredNetwork, reportInput } from './report-input.js';
import { curveShare, ReportPace } from './report-pace.js';
import { areOfActivation, noticeOf, runDifferences } from './run-differences.js';

/** The page and its numbers, in the order of the runs. */
export interface TrainingReport {
  readonly page: string;
  readonly results: readonly { readonly activation: string; readonly result: EvaluationResult }[];
}

/** A trained run that has been read. */
export interface TrainedRun {
  readonly path: string;
  readonly recipe: Recipe;
  readonly checkpoint: Checkpoint;
}

export interface TrainingReportOptions {
  /** Title of the page. @default the names of the networks */
  readonly title?: string;
  /** The caveat above the results. @default as the differences of the runs demand */
  readonly notice?: string;
  /** One or more, with one data set and one threat model. */
  readonly runs: readonly TrainedRun[];
  /** Number of test images to attack. @default that of `evaluations`, else 1,000 */
  readonly examples?: number;
  /** Whether broken test images of a folder are an error or left out. @default as in the recipe */
  readonly broken?: BrokenRule;
  /** Names of the attacks; an image is robust if none breaks it. @default those of `evaluations`, else `comparisonAttacks` */
  readonly attacks?: readonly string[];
  /** Folders of finished evaluations of the runs. They determine the images, threat model and seed. @default none */
  readonly evaluations?: readonly string[];
  /** `cpu` or `cuda:N`. */
  readonly device: string;
  readonly interrupted: () => boolean;
  readonly onProgress: (progress: {
    readonly label: string;
    readonly done: number;
    readonly total: number;
    readonly robust?: number;
    /** Until all networks are measured. */
    readonly secondsLeft?: number;
  }) => void;
}

/** Number of images for accuracy against ε, which takes an attack for each ε. */
const curveExamples = 200;
const curveMultiples = [0.25, 0.5, 0.75, 1, 1.5, 2];

/**
 * Evaluates the best checkpoint of each run and renders one HTML document. What `evaluations` or a run folder already
 * holds is not measured again.
 *
 * @throws {InputError} if a model does not fit the images, or `evaluations` are not of these runs or contradict the
 *   other options.
 */
export async function trainingReport(options: TrainingReportOptions): Promise<TrainingReport> {
  const { runs, device, interrupted, onProgress } = options;
  const stated = statedEvaluations(options.evaluations ?? []);
  requireOfRuns(stated, runs);
  const settings = settingsOf(options, stated[0]);
  const { attacks, seed, threat } = settings;
  const differences = runDifferences(runs);
  const networks: MeasuredNetwork[] = [];
  const models: AttackableModel[] = [];
  let pace: ReportPace | undefined;
  let data: Dataset | undefined;
  try {
    for (const run of runs) {
      const name = nameOf(run, runs, differences);
      const digest = run.checkpoint.weightsDigest;
      const model = attackableModel(checkpointModel(run.checkpoint, device), {
        name: run.path,
        digest,
        weights: weightsOrigin(run.path, run.checkpoint),
      });
      models.push(model);
      // Loaded for each run, since this refuses a model with another input size or other classes.
      data = await settings.load(model, ({ stage, what, done, total }) => {
        if (total !== undefined) onProgress({ label: `${stage} ${what}`, done, total });
      });
      const { ids, classes } = data;
      pace ??= new ReportPace({
        networks: runs.length,
        curveShare: curveShare({
          examples: curveExamples,
          points: curveMultiples.length,
          attacks,
          evaluated: ids.length,
          classes: classes.length,
        }),
      });
      const clock = pace;
      const shown = ({ stage, secondsLeft, ...progress }: EvaluationProgress) =>
        onProgress({ ...progress, label: `${name}: ${stage}`, ...clock.left('evaluation', secondsLeft) });
      clock.begin();
      const measured = await keptOrMeasured(
        {
          model,
          data,
          attacks,
          norm: threat.norm,
          epsilon: { epsilon: threat.epsilon, epsilonText: threat.epsilonText },
          seed,
          interrupted,
          onProgress: shown,
        },
        { run: run.path, stated },
      );
      clock.end('evaluation');
      clock.begin();
      const curve = await epsilonCurve({
        model,
        data,
        examples: curveExamples,
        multiples: curveMultiples,
        threat,
        attack: 'apgd-ce',
        known: measured.result,
        seed,
        batch: measured.result.batch.size,
        interrupted,
        onProgress: ({ whole }) =>
          onProgress({ label: `${name}: accuracy against ε`, ...whole, ...clock.left('curve', whole) }),
      });
      clock.end('curve');
      networks.push({ run: run.path, name, model, measured, curve });
    }
    const page = await renderReport(
      reportInput({
        title: options.title ?? networks.map(({ name }) => name).join(' and '),
        subtitle: 'Adversarially trained image classifiers and their robustness.',
        notice: options.notice ?? noticeOf(runs, differences),
        differences,
        data: data!,
        networks,
      }),
    );
    return {
      page,
      results: networks.map(({ measured }, index) => ({
        activation: runs[index]!.recipe.model.activation,
        result: measured.result,
      })),
    };
  } finally {
    for (const model of models) model[Symbol.dispose]();
  }
}

/** What all runs are measured with. */
interface Settings {
  readonly attacks: readonly string[];
  readonly seed: number;
  readonly threat: ThreatModel;
  readonly load: (model: AttackableModel, onProgress: LoadOptions['onProgress']) => Promise<Dataset>;
}

/** From the stated evaluation, which must agree with the other options, or from the first run. */
function settingsOf(options: TrainingReportOptions, stated: StatedEvaluation | undefined): Settings {
  if (stated === undefined) return settingsOfRun(options);
  const { path, manifest } = stated;
  const { evaluation, epsilonText } = manifest;
  for (const key of ['attacks', 'examples'] as const)
    if (options[key] !== undefined && !isDeepStrictEqual(options[key], evaluation[key]))
      throw InputError.expected(`the ${key} of ${path}`, 'the report', options[key], 'Omit them.');
  if (options.broken !== undefined)
    throw InputError.expected(
      `the images of ${path}, which are chosen,`,
      '`broken`',
      options.broken,
      'Leave it out.',
    );
  const { norm, epsilon, attacks, seed } = evaluation;
  return {
    attacks,
    seed,
    threat: { norm, epsilon, epsilonText },
    async load(model) {
      const data = readOriginals(path, evaluation);
      requireFits(model, data);
      return data;
    },
  };
}

function settingsOfRun({
  runs,
  attacks = comparisonAttacks,
  examples = 1000,
  broken,
}: TrainingReportOptions): Settings {
  const seed = 0;
  const { threat, data: source } = runs[0]!.recipe;
  return {
    attacks,
    seed,
    threat,
    load: (model, onProgress) =>
      loadExamples(model, {
        name: source.name,
        split: 'test',
        dir: source.dir ?? undefined,
        ...(source.name === 'folder' && { resize: source.resize, broken: source.broken }),
        ...(broken !== undefined && { broken }),
        ...(source.name === 'imagenet' && { imagenet: imagenetForm(source) }),
        validation: source.validation,
        validationSeed: source.validationSeed,
        count: examples,
        seed,
        ...(onProgress !== undefined && { onProgress }),
      }),
  };
}

/** @throws {InputError} for an evaluation of another model than the runs' best. */
function requireOfRuns(stated: readonly StatedEvaluation[], runs: readonly TrainedRun[]): void {
  for (const { path, manifest } of stated)
    if (!runs.some(({ checkpoint }) => checkpoint.weightsDigest === manifest.evaluation.modelDigest))
      throw InputError.expected(
        'an evaluation of the best checkpoint of one of the runs',
        'the report',
        `${path}, of ${manifest.model}`,
      );
}

/**
 * The activation's title, if that is what the runs differ in; else with the name of the run's folder, or its path if another
 * has the same.
 */
function nameOf(run: TrainedRun, runs: readonly TrainedRun[], differences: readonly RunDifference[]): string {
  const titleOf = ({ recipe }: TrainedRun) => parseActivation(recipe.model.activation).title;
  const folderOf = ({ path }: TrainedRun) => basename(resolve(path));
  const alike = runs.filter((other) => titleOf(other) === titleOf(run));
  if (alike.length === 1 && areOfActivation(differences)) return titleOf(run);
  const isUnique = runs.filter((other) => folderOf(other) === folderOf(run)).length === 1;
  return `${titleOf(run)} (${isUnique ? folderOf(run) : run.path})`;
}

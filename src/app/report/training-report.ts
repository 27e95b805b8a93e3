import { parseActivation } from '../../activations/parse.js';
import type { Dataset } from '../../data/dataset.js';
import type { EvaluationResult } from '../../evaluation/result.js';
import { imagenetForm } from '../../recipe/imagenet-data.js';
import type { Recipe } from '../../recipe/recipe.js';
import { renderReport } from '../../report/training/page.js';
import type { Checkpoint } from '../../runs/checkpoint.js';
import { epsilonCurve } from '../evaluate/epsilon-curve.js';
import { evaluateRun } from '../evaluate/evaluate-run.js';
import { loadExamples } from '../evaluate/load-examples.js';
import { checkpointModel } from '../model/checkpoint-model.js';
import { type AttackableModel, attackableModel } from '../model/open-model.js';
import { type MeasuredNetwork, reportInput } from './report-input.js';

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
  /** One or more, with one data set and one threat model. */
  readonly runs: readonly TrainedRun[];
  /** Number of test images to attack. */
  readonly examples: number;
  /** `cpu` or `cuda:N`. */
  readonly device: string;
  readonly interrupted: () => boolean;
  readonly onProgress: (progress: {
    readonly label: string;
    readonly done: number;
    readonly total: number;
    readonly robust?: number;
  }) => void;
}

const attack = 'pgd-50';
const seed = 0;
const batch = 250;

/**
 * Evaluates the best checkpoint of each run under its threat model and renders one HTML document.
 *
 * @throws {InputError} if a model does not fit the images of the first run.
 */
export async function trainingReport(options: TrainingReportOptions): Promise<TrainingReport> {
  const { runs, device, interrupted, onProgress } = options;
  const networks: MeasuredNetwork[] = [];
  const models: AttackableModel[] = [];
  let data: Dataset | undefined;
  try {
    for (const run of runs) {
      const name = nameOf(run, runs);
      const digest = run.checkpoint.weightsDigest;
      const model = attackableModel(checkpointModel(run.checkpoint, device), { name: run.path, digest });
      models.push(model);
      const { threat, data: source } = runs[0]!.recipe;
      const { norm, epsilon, epsilonText } = threat;
      // Loaded for each run, since this refuses a model with another input size or other classes.
      data = await loadExamples(model, {
        name: source.name,
        split: 'test',
        dir: source.dir ?? undefined,
        resize: source.name === 'folder' ? source.resize : undefined,
        ...(source.name === 'imagenet' && { imagenet: imagenetForm(source) }),
        validation: source.validation,
        validationSeed: source.validationSeed,
        count: options.examples,
        seed,
        onProgress: ({ stage, what, done, total }) => {
          if (total !== undefined) onProgress({ label: `${stage} ${what}`, done, total });
        },
      });
      const shown = (progress: { stage: string; done: number; total: number; robust: number }) =>
        onProgress({
          label: `${name}: ${progress.stage}`,
          done: progress.done,
          total: progress.total,
          robust: progress.robust,
        });
      const measured = await evaluateRun({
        model,
        data,
        attacks: [attack],
        norm,
        epsilon: { epsilon, epsilonText },
        seed,
        batch,
        interrupted,
        onProgress: shown,
      });
      const curve = await epsilonCurve({
        model,
        data,
        threat,
        seed,
        batch,
        interrupted,
        onProgress: shown,
      });
      networks.push({ run: run.path, name, model, measured, curve });
    }
    const page = await renderReport(
      reportInput({
        title: options.title ?? networks.map(({ name }) => name).join(' and '),
        subtitle: 'Adversarially trained image classifiers and their robustness.',
        notice:
          networks.length === 1
            ? 'One training run: another seed gives different numbers.'
            : 'One seed each: this shows the method and is no evidence for an activation.',
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

/** The activation's title, with the run's path if another run has the same activation. */
function nameOf(run: TrainedRun, runs: readonly TrainedRun[]): string {
  const titleOf = ({ recipe }: TrainedRun) => parseActivation(recipe.model.activation).title;
  const isUnique = runs.filter((other) => titleOf(other) === titleOf(run)).length === 1;
  return isUnique ? titleOf(run) : `${titleOf(run)} (${run.path})`;
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { chooseDevice } from '../engine/device.js';
import { describe, InputError } from '../errors.js';
import { writeFileDurably, writeJsonDurably } from '../files/durable-file.js';
import { makeFolder } from '../files/make-folder.js';
import { parseJson } from '../files/parse-json.js';
import { loadRecipe } from '../recipe/load-recipe.js';
import type { Recipe } from '../recipe/recipe.js';
import { readCheckpoint } from '../runs/checkpoint.js';
import { readEvents } from '../runs/event-log.js';
import type { RunEvent } from '../runs/events.js';
import { isRunFolder, readStoredRecipe } from '../runs/run-folder.js';
import { firstDifference } from '../user-input/first-difference.js';
import { validate } from '../user-input/validate.js';
import { type QuickstartData, quickstartTitles } from './quickstart-data.js';
import { type TrainingReportOptions, trainingReport } from './report/training-report.js';
import { trainRun } from './train/train-run.js';

/** The content of `summary.json`; its fields are stable. */
const summarySchema = z.object({
  /** From the first training step to the report, without the set-up. */
  seconds: z.number(),
  report: z.string(),
  networks: z.array(
    z.object({
      activation: z.string(),
      clean: z.number(),
      robust: z.number(),
      /** A network withstands what none of these breaks: `apgd-ce`, `apgd-dlr`. */
      attacks: z.array(z.string()),
      epsilon: z.number(),
      /** As the recipe has it: `8/255`. */
      epsilonText: z.string().optional(),
      examples: z.number(),
    }),
  ),
});

export type QuickstartSummary = z.output<typeof summarySchema>;

/** What determines the networks of a quickstart. */
interface QuickstartChoice {
  readonly data: QuickstartData;
  /** Folder of the data set. @default where `loadDataset` looks, and a download of CIFAR-10 */
  readonly dataDir?: string;
  readonly seed: number;
  /** Use the smoke variants of the recipes. */
  readonly smoke: boolean;
}

export interface QuickstartOptions extends QuickstartChoice {
  /** Output folder; a quickstart that is there already is resumed. */
  readonly folder: string;
  /** `cpu` or `cuda:N`. @default a graphics card if there is one */
  readonly device?: string;
  readonly interrupted: () => boolean;
  readonly onProgress: TrainingReportOptions['onProgress'];
  /** Called before a network is trained, with the events of its run so far; returns the handler of its events. */
  readonly onTraining: (activation: string, history: readonly RunEvent[]) => (event: RunEvent) => void;
}

const activations = ['relu', 'silu'] as const;

/**
 * The summary of a finished quickstart; null if there is none.
 *
 * @throws {InputError} if it was made with another seed, other recipes or another version's measure.
 */
export function readSummary(
  options: QuickstartChoice & Pick<QuickstartOptions, 'folder'>,
): QuickstartSummary | null {
  const { folder } = options;
  const path = join(folder, 'summary.json');
  if (!existsSync(path)) return null;
  for (const activation of activations) {
    const asked = JSON.parse(JSON.stringify(recipeOf(activation, options)));
    const difference = firstDifference(readStoredRecipe(join(folder, activation)), asked);
    if (difference !== undefined)
      throw InputError.expected(
        `${difference.path} = ${describe(difference.first)}, with which ${folder} was made,`,
        'the quickstart',
        difference.second,
        'Choose another folder with `out`.',
      );
  }
  let input: unknown;
  try {
    input = parseJson(readFileSync(path, 'utf8'));
  } catch (error) {
    throw InputError.expected('a summary in JSON', path, error, 'Remove it: the quickstart writes it again.');
  }
  return validate({ schema: summarySchema, input, source: path });
}

function recipeOf(
  activation: (typeof activations)[number],
  { data, dataDir, seed, smoke }: QuickstartChoice,
): Recipe {
  const folder = dataDir === undefined ? [] : [`data.dir=${JSON.stringify(dataDir)}`];
  return loadRecipe(`${data}-${activation}`, { smoke, set: [`training.seed=${seed}`, ...folder] });
}

/**
 * Trains one network with ReLU and one with SiLU, attacks both, and writes `report.html` and `summary.json`. If
 * interrupted, calling it again resumes.
 *
 * @throws {InputError} if the folder holds networks of another seed.
 */
export async function quickstart(options: QuickstartOptions): Promise<QuickstartSummary> {
  const { folder, smoke, interrupted, onProgress, onTraining } = options;
  const device = options.device ?? chooseDevice();
  const began = performance.now();
  const runs = [];
  for (const activation of activations) {
    const recipe = recipeOf(activation, options);
    const path = join(folder, activation);
    const history = isRunFolder(path) ? readEvents(path) : [];
    const onEvent = onTraining(activation, history);
    await trainRun({ recipe, path, resume: true, device, interrupted, onProgress, onEvent });
    runs.push({ path, recipe, checkpoint: readCheckpoint({ path }) });
  }
  const examples = smoke ? 50 : 1000;
  const title = `Quickstart: ReLU and SiLU on ${quickstartTitles[options.data]}`;
  const { page, results } = await trainingReport({ title, runs, examples, device, interrupted, onProgress });
  const report = join(folder, 'report.html');
  makeFolder(folder);
  writeFileDurably(report, [Buffer.from(page)]);
  const summary: QuickstartSummary = {
    seconds: Math.round((performance.now() - began) / 100) / 10,
    report,
    networks: results.map(({ activation, result }) => ({
      activation,
      clean: result.clean,
      robust: result.robust,
      attacks: result.attacks.map(({ name }) => name),
      epsilon: result.epsilon,
      epsilonText: result.epsilonText,
      examples: result.examples,
    })),
  };
  writeJsonDurably(join(folder, 'summary.json'), summary);
  return summary;
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeJsonDurably } from '../../src/files/durable-file.js';
import { makeFolder } from '../../src/files/make-folder.js';
import { parseJson } from '../../src/files/parse-json.js';
import { readManifest } from '../../src/runs/run-folder.js';
import { validate } from '../../src/user-input/validate.js';
import { activations } from '../activations.js';
import { jobsOf, type StudyJob } from '../jobs.js';
import { readRecords } from '../record.js';
import { placeWords, type StudyOptions, train } from '../run-study.js';
import { checksSchema, type NetworkChecks } from './checks.js';
import { attackAtEpsilon, measureNetwork, type SanityPlan } from './measure-network.js';

export const fullPlan: SanityPlan = {
  steps: [10, 20, 50, 100, 200],
  multiples: [0.5, 1, 1.5, 2, 3, 4, 8],
  boxes: ['apgd-ce', 'apgd-t', 'square'],
  surface: Array.from({ length: 17 }, (_, index) => (index - 8) / 4),
};
export const smokePlan: SanityPlan = {
  steps: [1, 2],
  multiples: [1, 8],
  boxes: ['apgd-ce', 'square'],
  surface: [-1, 0, 1],
};

/** The networks that are checked. */
export const checkedArms = ['relu', 'silu'];

export type SanityOptions = Omit<
  StudyOptions,
  'study' | 'arms' | 'attacks' | 'autoattack' | 'precision' | 'note' | 'parallel' | 'onRun' | 'onPlan'
> & {
  readonly plan: SanityPlan;
  /** Called for each network that is done. */
  readonly onNetwork: (
    checks: NetworkChecks,
    progress: { readonly done: number; readonly total: number },
  ) => void;
};

/**
 * Looks for signs that a robust accuracy is only the failure of an attack, in the networks with ReLU and SiLU of the study
 * `activations`, which are trained if their weights are not there. The results are in `FOLDER/sanity/NAME.json`.
 *
 * @throws {InterruptedError} if interrupted; the same call resumes.
 */
export async function runSanity(options: SanityOptions): Promise<void> {
  const { folder, plan, onNetwork } = options;
  const study = { ...options, study: activations, arms: checkedArms };
  const jobs = jobsOf(study, 'measure', readRecords(folder));
  const of = ({ name, recipe }: StudyJob) => ({
    ...options,
    path: join(folder, 'runs', name),
    recipe,
    place: placeWords(options),
  });
  for (const job of jobs) {
    await train(job, options);
    await attackAtEpsilon(of(job));
  }
  for (const [index, job] of jobs.entries()) {
    const file = join(folder, 'sanity', `${job.name}.json`);
    if (!existsSync(file)) {
      const others = jobs.filter((other) => other !== job && other.seed === job.seed);
      const measured = await measureNetwork({
        ...of(job),
        plan,
        others: others.map(({ name, recipe }) => ({
          label: recipe.model.activation,
          path: join(folder, 'runs', name),
        })),
      });
      const { commit } = readManifest(join(folder, 'runs', job.name, 'run'));
      makeFolder(join(folder, 'sanity'));
      writeJsonDurably(file, { name: job.name, commit, ...measured });
    }
    onNetwork(readChecks(file), { done: index + 1, total: jobs.length });
  }
}

/** All checked networks of a studies' folder. */
export function readAllChecks(folder: string): NetworkChecks[] {
  const own = join(folder, 'sanity');
  if (!existsSync(own)) return [];
  return readdirSync(own)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => readChecks(join(own, file)));
}

function readChecks(source: string): NetworkChecks {
  return validate({ schema: checksSchema, input: parseJson(readFileSync(source, 'utf8')), source });
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../src/files/parse-json.js';
import { packageFolder } from '../src/provenance/package-folder.js';
import { plainPercent as percent } from '../src/report/page/format.js';
import { validate } from '../src/user-input/validate.js';
import { activations } from './activations.js';
import { answer, type Difference, type Row } from './answer.js';
import { finishedRuns } from './jobs.js';
import { isTold, points } from './page.js';
import { readRecords, recordsFolder } from './record.js';
import { type Scale, scales } from './scales.js';
import { baseRecipe } from './setting.js';

/** The committed results. */
export const resultsFolder = join(packageFolder, 'studies', 'results');

/** The study `activations` at one scale, as far as it is finished. */
interface Answered {
  readonly scale: Scale;
  readonly rows: readonly Row[];
  /** What is said of the data, once. */
  readonly note: string | null;
}

const costSchema = z.array(
  z.looseObject({
    name: z.string(),
    ratio: z.number(),
    interval: z.tuple([z.number(), z.number()]),
    runs: z.number(),
  }),
);

/**
 * For users: which activation to take, and what it costs. A sentence for SiLU over ReLU, then a table of all activations that were
 * measured, at each scale; of `studies/results/` alone.
 */
export function activationChoice(folder: string = resultsFolder): string {
  const answered = scales.flatMap((scale) => answeredAt(scale, folder));
  const costs = costsOf(folder);
  return answered
    .map(({ scale, rows, note }) => {
      const silu = rows.find(({ arm }) => arm.name === 'silu')?.difference;
      return [
        ...(silu ? [headline(silu, scale), ''] : []),
        '| activation | clean | robust | clean, over ReLU | robust, over ReLU | speed of a training step |',
        '| --- | --- | --- | --- | --- | --- |',
        ...rows.map((row) => lineOf(row, costs)),
        '',
        `${scale.description.replace(/:.*/, '')}${note === null ? '' : ` (${note})`}; [page](${`studies/results/${scale.name}/activations/page.md`}).`,
      ].join('\n');
    })
    .join('\n\n');
}

function answeredAt(scale: Scale, folder: string): Answered[] {
  const own = join(folder, scale.name);
  if (!existsSync(recordsFolder(own))) return [];
  const base = baseRecipe({ recipe: scale.recipe, smoke: false, dataDir: 'FOLDER' });
  const runs = finishedRuns(activations, base, readRecords(own));
  if (runs.length === 0) return [];
  const notes = new Set(runs.map(({ record }) => record.note));
  return [{ scale, rows: answer(activations, runs), note: notes.size === 1 ? [...notes][0]! : null }];
}

/** `SiLU in place of ReLU: +2.4 points of robust accuracy (95 %: 0.3 to 4.5), …` */
function headline({ clean, robust }: NonNullable<Row['difference']>, scale: Scale): string {
  const told = isTold(robust) ? '' : ', which chance alone could give';
  return `**SiLU in place of ReLU: ${differenceText(robust)} of robust accuracy${told}, and ${differenceText(clean)} of clean accuracy** (${scale.name}, ${robust.pairs} ${robust.pairs === 1 ? 'pair' : 'pairs'} of runs).`;
}

function differenceText({ mean, interval }: Difference): string {
  if (interval === null) return `${points(mean)} points`;
  const [low, high] = interval.map((each) => (100 * each).toFixed(1).replace('-', '−'));
  return `${points(mean)} points (95 %: ${low} to ${high})`;
}

function lineOf({ arm, seeds, clean, robust, difference }: Row, costs: ReadonlyMap<string, string>): string {
  const over = (measure: 'clean' | 'robust') =>
    difference === null
      ? ''
      : `${differenceText(difference[measure]).replace(' points', '').replace('95 %: ', '')}, n = ${difference[measure].pairs}`;
  const cells = [
    arm.name,
    percent(clean),
    percent(robust),
    over('clean'),
    over('robust'),
    costs.get(arm.name) ?? '',
  ];
  return `| ${cells.map((cell, index) => (index === 0 && difference === null ? `${cell}, n = ${seeds}` : cell)).join(' | ')} |`;
}

/** The speed of a training step with each activation relative to ReLU, as `satin bench activation-cost` measured it. */
function costsOf(folder: string): Map<string, string> {
  const file = join(folder, 'activation-cost.json');
  if (!existsSync(file)) return new Map();
  const rows = validate({ schema: costSchema, input: parseJson(readFileSync(file, 'utf8')), source: file });
  return new Map([
    ['relu', '1'],
    ...rows.map(
      ({ name, ratio, interval: [low, high] }) =>
        [name.split('/').at(-1)!, `${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`] as const,
    ),
  ]);
}

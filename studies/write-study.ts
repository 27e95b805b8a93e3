import { join } from 'node:path';
import { writeFileDurably } from '../src/files/durable-file.js';
import { makeFolder } from '../src/files/make-folder.js';
import { answer, type Row } from './answer.js';
import { differenceFigure } from './figure.js';
import { chosenValues, finishedRuns } from './jobs.js';
import { studyPage } from './page.js';
import { readRecords } from './record.js';
import type { Scale } from './scales.js';
import { armsOf, baseRecipe, type Setting } from './setting.js';
import { schemes } from './svg.js';

export interface PageOptions extends Setting {
  readonly scale: Scale;
  /** The studies' output folder, with the records. */
  readonly folder: string;
}

/** A study's page, and the table on it. */
export interface WrittenStudy {
  readonly page: string;
  readonly rows: readonly Row[];
}

/** The page of a study as Markdown, from all runs in its folder that are finished; null if there are none. */
export function makePage(
  options: PageOptions,
): { readonly text: string; readonly rows: readonly Row[] } | null {
  const { study, scale, folder, smoke, dataDir } = options;
  const base = baseRecipe(options);
  const records = readRecords(folder);
  const runs = finishedRuns(study, base, records);
  if (runs.length === 0) return null;
  const rows = answer(study, runs);
  const missing = armsOf(study, base).filter(({ name }) => !runs.some(({ arm }) => arm === name));
  const command = [
    `./satin study ${study.name} --scale ${scale.name}`,
    ...(dataDir === undefined ? [] : ['--data-dir FOLDER']),
    `--seeds ${Math.max(...rows.map(({ seeds }) => seeds))}`,
    ...(smoke ? ['--smoke'] : []),
  ].join(' ');
  const hasInterval = rows.some(({ difference }) => (difference?.robust.interval ?? null) !== null);
  const text = studyPage({
    study,
    rows,
    runs,
    missing: missing.map(({ name }) => name),
    choices: chosenValues(study, base, records),
    threat: base.threat,
    command,
    scale: smoke ? `${scale.description}; the smoke variant, which shows nothing` : scale.description,
    figure: hasInterval ? 'figure' : null,
  });
  return { text, rows };
}

/**
 * Writes the page of a study, `FOLDER/NAME/page.md`, with `figure-light.svg` and `figure-dark.svg` beside it, from all of its
 * runs that are finished; null if there are none.
 */
export async function writeStudy(options: PageOptions): Promise<WrittenStudy | null> {
  const made = makePage(options);
  if (made === null) return null;
  const { text, rows } = made;
  const folder = join(options.folder, options.study.name);
  makeFolder(folder);
  const drawn = await Promise.all(schemes.map((scheme) => differenceFigure(rows, scheme)));
  for (const [index, svg] of drawn.entries())
    if (svg !== null) writeFileDurably(join(folder, `figure-${schemes[index]}.svg`), [Buffer.from(svg)]);
  const page = join(folder, 'page.md');
  writeFileDurably(page, [Buffer.from(text)]);
  return { page, rows };
}

import { join } from 'node:path';
import { writeFileDurably, writeJsonDurably } from '../src/files/durable-file.js';
import { commandLine } from '../src/provenance/command-line.js';
import { placeOf } from '../src/provenance/manifest.js';
import { placeName } from '../src/provenance/place.js';
import { parseRecipe } from '../src/recipe/recipe.js';
import { readManifest, readStoredRecipe } from '../src/runs/run-folder.js';
import { answer, type Row } from './answer.js';
import { differenceFigure } from './figure.js';
import { type Provenance, studyPage } from './page.js';
import { runFolderOf, runStudy, type StudyOptions, type StudyRun } from './run-study.js';
import type { Scale } from './scales.js';

/** A study that was carried out, and where its page is. */
export interface WrittenStudy {
  readonly page: string;
  readonly rows: readonly Row[];
}

/**
 * Carries a study out and writes its page `page.md`, with `figure-light.svg` and `figure-dark.svg` beside it, and every run's
 * accuracies as `results.json`.
 *
 * @throws as `runStudy`.
 */
export async function writeStudy(options: StudyOptions & { readonly scale: Scale }): Promise<WrittenStudy> {
  const { study, folder } = options;
  const runs = await runStudy(options);
  const rows = answer(study, runs);
  const provenance = provenanceOf(options, runs);
  const schemes = ['light', 'dark'] as const;
  const drawn = await Promise.all(schemes.map((scheme) => differenceFigure(rows, scheme)));
  for (const [index, svg] of drawn.entries())
    if (svg !== null) writeFileDurably(join(folder, `figure-${schemes[index]}.svg`), [Buffer.from(svg)]);
  writeJsonDurably(join(folder, 'results.json'), { study: study.name, ...provenance, runs });
  const page = join(folder, 'page.md');
  const figure = drawn[0] === null ? null : 'figure';
  writeFileDurably(page, [Buffer.from(studyPage(study, rows, { provenance, figure }))]);
  return { page, rows };
}

/** Of the runs' own manifests: they may be older than this process, and of several commits. */
function provenanceOf(
  { scale, smoke, folder, seeds, examples }: StudyOptions & { readonly scale: Scale },
  runs: readonly StudyRun[],
): Provenance {
  const manifests = runs.map((run) => readManifest(runFolderOf(folder, run)));
  const distinct = (values: readonly string[]) => [...new Set(values)].join(', ');
  const first = runFolderOf(folder, runs[0]!);
  const { norm, epsilonText } = parseRecipe(readStoredRecipe(first), `the run ${first}`).threat;
  return {
    command: commandLine(),
    commit: distinct(manifests.map(({ commit }) => commit?.replace(/^(\w{7})\w*/, '$1') ?? 'unknown')),
    date: new Date().toISOString().slice(0, 10),
    device: distinct(
      manifests.map((each) =>
        each.device === 'cpu'
          ? `${each.processor}, ${each.threads} ${each.threads === 1 ? 'thread' : 'threads'} a run`
          : placeName(placeOf(each)),
      ),
    ),
    engine: distinct(manifests.map(({ engine }) => `libtorch ${engine.libtorch}`)),
    scale: smoke ? `${scale.description}; the smoke variant, which shows nothing` : scale.description,
    seeds,
    examples,
    threat: `${norm === 'linf' ? 'L∞' : 'L2'}, ε = ${epsilonText}`,
    hours: runs.reduce((sum, { seconds }) => sum + seconds, 0) / 3600,
  };
}

import { placeName } from '../../provenance/place.js';
import type { Recipe } from '../../recipe/recipe.js';
import type { RunDifference } from '../../report/input.js';
import { readEvents } from '../../runs/event-log.js';
import type { RunEvent } from '../../runs/events.js';
import { readManifest } from '../../runs/run-folder.js';
import { stoppedEarly } from '../../runs/stopped-early.js';
import { runReach } from '../../runs/weights-origin.js';
import { nameList } from '../../user-input/name-list.js';

/** A run that is compared with others. */
export interface ComparedRun {
  readonly path: string;
  readonly recipe: Recipe;
}

/**
 * In what runs differ that may make their results differ: settings of their recipes, by path; how much of the training is
 * done; where and with which commit they were trained. One row each, with a value for each run.
 */
export function runDifferences(runs: readonly ComparedRun[]): RunDifference[] {
  const facts = runs.map(factsOf);
  const names = new Set(facts.flatMap((each) => [...each.keys()]));
  return [...names].flatMap((what) => {
    const values = facts.map((each) => each.get(what) ?? 'none');
    return values.every((value) => value === values[0]) ? [] : [{ what, values }];
  });
}

/** Whether the activation, and the name of the run, are all that differs: what the paper's comparison is of. */
export function areOfActivation(differences: readonly RunDifference[]): boolean {
  return differences.every(({ what }) => what === activation);
}

/** The caveat of a report, as the differences of its runs demand. */
export function noticeOf(runs: readonly ComparedRun[], differences: readonly RunDifference[]): string {
  const unfinished = runs.flatMap(({ path }) => {
    const events = readEvents(path);
    const reach = runReach(events);
    if (reach === null || reach.epochs === reach.planned) return [];
    const end = events.at(-1);
    const early = end?.type === 'end' ? stoppedEarly(end) : null;
    return [
      `${path} has trained ${reach.epochs} of its ${reach.planned} epochs.`,
      ...(early === null ? [] : [early]),
    ];
  });
  return [caveatOf(runs, differences), ...unfinished].join(' ');
}

function caveatOf(runs: readonly ComparedRun[], differences: readonly RunDifference[]): string {
  if (runs.length === 1) return 'One training run: another seed gives different numbers.';
  if (differences.length === 0) return 'These runs have the same recipe.';
  if (areOfActivation(differences))
    return 'One seed each: this shows the method and is no evidence for an activation.';
  if (differences.every(({ what }) => what === 'training.seed'))
    return 'These runs differ in their seed alone: their accuracies show how much chance makes.';
  const [only, ...others] = differences;
  if (only !== undefined && others.length === 0)
    return `These runs differ in ${only.what} alone, with one seed each: a small difference of their accuracies may be chance.`;
  const names = nameList(
    differences.map(({ what }) => what),
    12,
  );
  return `These runs differ in ${names}: nothing here says which of these makes their accuracies differ.`;
}

const activation = 'model.activation';

/** Settings that change no result: a name, a place. */
const ofNoEffect = ['name', 'description', 'device', 'threads', 'threat.epsilonText'];

function factsOf({ path, recipe }: ComparedRun): ReadonlyMap<string, string> {
  const events = readEvents(path);
  const reach = runReach(events);
  const { commit } = readManifest(path);
  return new Map([
    ...leaves(recipe).filter(([name]) => !ofNoEffect.includes(name)),
    ...(reach === null ? [] : [['epochs trained', String(reach.epochs)] as const]),
    ['trained on', placesOf(events).join('; ')],
    ['commit of Satin', commit ?? 'unknown'],
  ]);
}

/** Every value of a recipe with its path: `training.attack.steps`. */
function leaves(value: unknown, path = ''): (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [[path, typeof value === 'string' ? value : JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`));
}

/** Where a run was trained. Runs of earlier versions did not record it: they were trained on the CPU in float32. */
export function placesOf(events: readonly RunEvent[]): string[] {
  const places = events.flatMap((event) =>
    event.type === 'start' || event.type === 'resume'
      ? [`${placeName({ device: event.device ?? 'cpu', card: event.card })}, ${event.precision ?? 'float32'}`]
      : [],
  );
  return [...new Set(places)];
}

import { overlay, type Section, sectionOf, valueAt } from './section.js';

/** Settings in epochs that are a part of the training, so that they follow its length. */
const durations = [
  ['training', 'schedule', 'warmup'],
  ['training', 'schedule', 'milestones'],
  ['training', 'attack', 'epsilonWarmup'],
  ['training', 'attack', 'stepWarmup'],
  ['training', 'awp', 'warmup'],
  ['training', 'penaltyWarmup'],
];

/** A recipe whose number of epochs was changed, before and after. */
export interface Lengthened {
  readonly before: Section;
  readonly after: Section;
  /** What was changed, at the same paths. */
  readonly stated: Section;
}

/**
 * The recipe `after` with what it says in epochs in proportion to its new length, and a sentence on each; what was changed
 * together with the length is left as it is. As it was if the length is the same.
 */
export function scaleDurations({ before, after, stated }: Lengthened): {
  readonly recipe: Section;
  readonly notes: readonly string[];
} {
  const [old, now] = [before, after].map((recipe) => valueAt(recipe, ['training', 'epochs']));
  if (!isLength(old) || !isLength(now) || old === now) return { recipe: after, notes: [] };
  let recipe = after;
  const notes: string[] = [];
  for (const path of durations) {
    const value = valueAt(after, path);
    if (valueAt(stated, path) !== undefined) continue;
    const scaled = scaledBy(value, now / old);
    if (scaled === undefined) continue;
    recipe = overlay(recipe, sectionOf(path, scaled) as Section);
    notes.push(
      `With ${now} epochs in place of ${old}, ${path.join('.')} is ${textOf(scaled)} in place of ${textOf(value)}.`,
    );
  }
  return { recipe, notes };
}

function isLength(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0;
}

/** undefined for what is no duration, or none at all. */
function scaledBy(value: unknown, factor: number): number | number[] | undefined {
  const scale = (each: number) => Number((each * factor).toPrecision(6));
  if (Array.isArray(value)) return value.every(isPositive) && value.length > 0 ? value.map(scale) : undefined;
  return isPositive(value) ? scale(value) : undefined;
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

const textOf = (value: unknown) => JSON.stringify(value);

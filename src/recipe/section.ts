/** Part of a recipe before it is validated: keys with values, which may be sections. */
export interface Section {
  readonly [key: string]: unknown;
}

export function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `base` with the values of `changes`; sections are merged recursively, other values replaced. */
export function overlay(base: Section, changes: Section): Section {
  const merged = new Map(Object.entries(base));
  for (const [key, change] of Object.entries(changes)) {
    const old = merged.get(key);
    merged.set(key, isSection(old) && isSection(change) ? overlay(old, change) : change);
  }
  return Object.fromEntries(merged);
}

/** The value at a path such as `['training', 'epochs']`; undefined if there is none. */
export function valueAt(section: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return section;
  return isSection(section) && Object.hasOwn(section, key) ? valueAt(section[key], rest) : undefined;
}

/** The section that has `value` at a path and nothing else. */
export function sectionOf(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

/** The names of tests: paths below a folder without `.test.ts`. `attacks/apgd.eot` is about the source `attacks/apgd`. */
import { existsSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';

/** The source that a test is about: its name without a topic. */
const subject = (name) => name.replace(/\.[^/]*$/, '');

/**
 * The names of the tests below a folder, those of the folders `without` left out. They are the names of sources: what an
 * old test left behind in dist/ is no test.
 * @param {string} folder
 * @param {readonly string[]} without
 * @returns {string[]}
 */
export function testNames(folder, without) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((path) => path.endsWith('.test.ts') && !without.includes(path.split('/')[0]))
    .map((path) => path.slice(0, -'.test.ts'.length))
    .sort();
}

/**
 * Those of `names` that match: by full path, by folder, or by the last part of the path if it identifies one source; each
 * with all its topics. An empty list if none match; all candidates if the name is ambiguous.
 * @param {string} wanted
 * @param {readonly string[]} names
 * @returns {{ names: string[], isAmbiguous: boolean }}
 */
export function meant(wanted, names) {
  const path = wanted.replace(/\/$/, '');
  const below = names.filter(
    (name) => name === path || subject(name) === path || name.startsWith(`${path}/`),
  );
  if (below.length > 0) return { names: below, isAmbiguous: false };
  const last = names.filter((name) => [basename(name), basename(subject(name))].includes(path));
  return { names: last, isAmbiguous: new Set(last.map(subject)).size > 1 };
}

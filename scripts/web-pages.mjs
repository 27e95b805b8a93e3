/** The pages of `satin serve` and `satin demo` in dist/web/: whether they are up to date, and building them with Vite. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { digest, fileIdentity, readJson, writeJson } from '../native/build-stamp.mjs';
import { runCommand, StepError } from './step.mjs';

/** Each lies in web/NAME, and imports from these folders of src/. */
const PAGES = {
  serve: ['src/serve', 'src/report/page', 'src/evaluation'],
  demo: ['src/browser'],
};

const stampFile = (root, page) => join(root, 'dist', 'web', `${page}.made-from.json`);

/** The pages that are not up to date; compares sizes and times. None where there are no sources, as in an installed package. */
function stalePages(root) {
  return Object.keys(PAGES).filter((page) => {
    if (!existsSync(join(root, 'web', page))) return false;
    const isThere = existsSync(join(root, 'dist', 'web', page, 'index.html'));
    return !isThere || readJson(stampFile(root, page))?.madeFrom !== stamp(root, page);
  });
}

/**
 * Whether both pages are up to date with their sources.
 * @param {string} root
 * @returns {boolean}
 */
export const arePagesBuilt = (root) => stalePages(root).length === 0;

/**
 * Checks the types of each page that is not up to date, and bundles it.
 * @param {{ root: string, log: (text: string) => void }} options
 * @throws {StepError}
 */
export async function buildPages({ root, log }) {
  for (const page of stalePages(root)) {
    const madeFrom = stamp(root, page); // before a file is read: what is edited meanwhile is built next time
    const folder = join('web', page);
    for (const [program, ...words] of [
      ['tsc', '--project', folder, '--pretty', 'false'],
      ['vite', 'build', folder, '--logLevel', 'warn'],
    ]) {
      const command = [join(root, 'node_modules', '.bin', program), ...words];
      const { status, output } = await runCommand({ command, cwd: root, log });
      if (status === 0) continue;
      const lines = output.trim().split('\n');
      const error = lines.find((line) => /error/i.test(line)) ?? lines.at(-1);
      throw new StepError(error, `cd ${root} && npx ${program} ${words.join(' ')}`);
    }
    writeJson(stampFile(root, page), { madeFrom });
  }
}

/** A digest of the size and time of every source of a page, and of the versions of its packages. */
function stamp(root, page) {
  const sources = [join('web', page), ...PAGES[page]].flatMap((folder) => filesIn(join(root, folder)));
  return digest([join(root, 'package-lock.json'), ...sources.sort()].map(fileIdentity));
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => join(found.parentPath ?? found.path, found.name));
}

/** The page of `satin serve` in dist/web/: whether it is up to date with web/, and building it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { digest, fileIdentity, readJson, writeJson } from '../native/build-stamp.mjs';
import { runCommand, StepError } from './step.mjs';

/** Its sources, and the folders of src/ from which it imports. */
const FOLDERS = ['web', 'src/serve', 'src/report/page', 'src/evaluation'];

const stampFile = (root) => join(root, 'dist', 'web', 'made-from.json');

/**
 * Whether the built page is up to date; compares sizes and times.
 * @param {string} root
 * @returns {boolean}
 */
export function isPageBuilt(root) {
  return (
    existsSync(join(root, 'dist', 'web', 'index.html')) && readJson(stampFile(root))?.madeFrom === stamp(root)
  );
}

/**
 * Checks the types of the page, and bundles it.
 * @param {{ root: string, log: (text: string) => void }} options
 * @throws {StepError}
 */
export async function buildPage({ root, log }) {
  const madeFrom = stamp(root); // before a file is read: what is edited meanwhile is built next time
  const steps = [
    ['tsc', '--project', 'web', '--pretty', 'false'],
    ['vite', 'build', '--config', 'web/vite.config.mjs'],
  ];
  for (const [program, ...words] of steps) {
    const command = [join(root, 'node_modules', '.bin', program), ...words];
    const { status, output } = await runCommand({ command, cwd: root, log });
    if (status === 0) continue;
    const lines = output.trim().split('\n');
    const error = lines.find((line) => /error/i.test(line)) ?? lines.at(-1);
    throw new StepError(error, `cd ${root} && npx ${program} ${words.join(' ')}`);
  }
  writeJson(stampFile(root), { madeFrom });
}

/** A digest of the size and time of every source, and of the versions of the tools. */
function stamp(root) {
  const sources = FOLDERS.flatMap((folder) => filesIn(join(root, folder)));
  return digest([join(root, 'package-lock.json'), ...sources.sort()].map(fileIdentity));
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => join(found.parentPath ?? found.path, found.name));
}

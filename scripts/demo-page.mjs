/** The page of `satin demo` in dist/web/demo: whether it is up to date, and building it with Vite from web/demo. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { digest, fileIdentity, readJson, writeJson } from '../native/build-stamp.mjs';
import { runCommand, StepError } from './step.mjs';

const stampFile = (root) => join(root, 'dist', 'web', 'demo.made-from.json');

/**
 * Whether the page is up to date with its sources; compares sizes and times. True where there are no sources, as in a
 * package that was installed.
 * @param {string} root
 * @returns {boolean}
 */
export function isPageBuilt(root) {
  if (!existsSync(join(root, 'web', 'demo'))) return true;
  return (
    existsSync(join(root, 'dist', 'web', 'demo', 'index.html')) &&
    readJson(stampFile(root))?.madeFrom === sourceStamp(root)
  );
}

/**
 * Checks the types of the page and bundles it.
 * @param {{ root: string, log: (text: string) => void }} options
 * @throws {StepError}
 */
export async function buildPage({ root, log }) {
  const madeFrom = sourceStamp(root);
  const bin = (name) => join(root, 'node_modules', '.bin', name);
  const folder = join(root, 'web', 'demo');
  for (const command of [
    [bin('tsc'), '--project', folder, '--pretty', 'false'],
    [bin('vite'), 'build', folder, '--logLevel', 'warn'],
  ]) {
    const { status, output } = await runCommand({ command, cwd: root, log });
    if (status !== 0) throw new StepError(output.trim().split('\n').at(-1), `cd ${root} && npm run build`);
  }
  writeJson(stampFile(root), { madeFrom });
}

/** A digest of the size and time of every source of the page, and of the versions of its packages. */
function sourceStamp(root) {
  const sources = ['web/demo', 'src/browser'].flatMap((folder) => filesIn(join(root, folder)));
  return digest([join(root, 'package-lock.json'), ...sources.sort()].map(fileIdentity));
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** npm packages: checks them against package-lock.json and installs them. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readJson } from '../native/build-stamp.mjs';
import { runCommand, StepError } from './step.mjs';

/** `npm ci`, including development packages if NODE_ENV=production is set: the compiler is one of them. */
export const NPM_COMMAND = ['npm', 'ci', '--include=dev', '--no-audit', '--no-fund'];

/**
 * Whether Satin is a dependency of another project, in its node_modules: then npm has installed what Satin depends on, and the
 * package has its compiled TypeScript and no lock file, which npm never packs.
 * @param {string} root
 * @returns {boolean}
 */
export function isDependency(root) {
  return basename(dirname(root)) === 'node_modules' && !existsSync(join(root, 'package-lock.json'));
}

/**
 * Whether node_modules matches package-lock.json. npm writes node_modules/.package-lock.json as its last step, so an
 * interrupted `npm ci` is detected too.
 * @param {string} root
 * @returns {boolean}
 */
export function arePackagesInstalled(root) {
  if (isDependency(root)) return true;
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([place, { version, integrity, optional }]) => {
    if (place === '') return true;
    const found = installed[place];
    if (found === undefined) return optional === true; // made for another machine
    return found.version === version && found.integrity === integrity;
  });
}

/**
 * Runs `npm ci`, and shows how many packages have been fetched.
 * @param {{ root: string, log: (text: string) => void, show: (detail: string) => void }} options
 * @throws {StepError}
 */
export async function installPackages({ root, log, show }) {
  const beside = join(dirname(process.execPath), 'npm');
  const npm = existsSync(beside) ? beside : 'npm';
  const command = [npm, ...NPM_COMMAND.slice(1), '--loglevel=http'];
  // Of how many, the lock file does not say: it has those of other machines too.
  let [fetched, told] = [0, 0];
  const take = (text) => {
    log(text);
    fetched += text.match(/^npm http (fetch|cache) .*\.tgz/gm)?.length ?? 0;
    if (fetched - told < 40) return;
    told = fetched;
    show(`${fetched} packages fetched`);
  };
  const { status, output } = await runCommand({ command, cwd: root, log: take });
  if (status !== 0) throw new StepError(npmError(output), `cd ${root} && ${NPM_COMMAND.join(' ')}`);
}

/**
 * npm's error lines, without its hints on where to read more. npm 10.9 breaks off with an error about itself where it cannot
 * reach the registry; the reason is then in what it tells of its requests.
 */
function npmError(output) {
  const lost = output.match(/^npm http (fetch .* failed with \w+)$/m)?.[1];
  if (lost !== undefined && output.includes('Exit handler never called')) return lost;
  const lines = output.split('\n').filter((line) => /^npm (error|ERR!)/.test(line));
  const said = lines.map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim());
  const relevant = said.filter((line) => line !== '' && !/complete log|debug-\d/.test(line));
  if (relevant.length > 0) return relevant.slice(0, 3).join('; ');
  return output.trim().split('\n').at(-1) ?? 'npm said nothing';
}

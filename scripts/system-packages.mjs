/** Debian packages: finds missing ones and installs them with apt-get. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findCompiler } from '../native/compiler.mjs';
import { hasLibjpeg } from '../native/find-libjpeg.mjs';
import { findLibtorch, OLDEST } from '../native/find-libtorch.mjs';
import { OTHER_LIBTORCH } from './other-libtorch.mjs';
import { runCommand, SetupError, StepError } from './step.mjs';

/** Whether this system has apt-get and Debian's packages (Ubuntu has them too). */
export function hasApt() {
  return existsSync('/etc/debian_version') && onPath('apt-get');
}

/**
 * The missing packages. The `required` ones are needed for compiling; the `useful` ones make Debian's libtorch fast
 * (OpenBLAS), provide communication between processes (Gloo) and JPEG decoding (libjpeg-turbo), and contain the images of
 * the quickstart.
 * @param {Record<string, string | undefined>} env
 * @returns {{ required: string[], useful: string[] }}
 * @throws {import('../native/find-libtorch.mjs').LibtorchError} where `LIBTORCH` names none
 */
export function missingPackages(env) {
  const libtorch = findLibtorch({ env });
  const required = [];
  if (findCompiler(env) === null) required.push('g++');
  if (libtorch === null) required.push('libtorch-dev');
  const useful = [];
  if (libtorch === null || libtorch.kind === 'system') {
    if (!existsSync('/usr/include/gloo')) useful.push('libgloo-dev');
    if (!hasOpenBlas()) useful.push('libopenblas0-pthread');
  }
  if (!hasLibjpeg()) useful.push('libjpeg-dev');
  if (!existsSync('/usr/share/datasets/fashion-mnist')) useful.push('dataset-fashion-mnist');
  return { required, useful };
}

/** Whether a multi-threaded OpenBLAS is installed. */
function hasOpenBlas() {
  const folders = readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu'));
  return folders.some((name) => existsSync(join('/usr/lib', name, 'openblas-pthread')));
}

/** The commands as a user would type them. */
export function aptCommands(packages) {
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  return [`${sudo}apt-get update`, `${sudo}apt-get install --no-install-recommends ${packages.join(' ')}`];
}

/** Whether apt-get can be run with the required privileges. */
export function mayRunApt() {
  return process.getuid?.() === 0 || onPath('sudo');
}

/**
 * Installs packages. Optional ones that this release does not have are skipped, and if only optional ones are missing, a
 * failure is shown and ignored.
 * @param {{ required: string[], useful: string[], root: string, log: (text: string) => void,
 *   show: (detail: string) => void, isTerminal: boolean }} options
 * @throws {StepError}
 * @throws {SetupError} where a libtorch is required and this release has none that is new enough
 */
export async function installSystemPackages({ required, useful, root, log, show, isTerminal }) {
  // Without a terminal sudo could not ask for a password: -n makes it say so instead of waiting.
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', ...(isTerminal ? [] : ['-n'])];
  const environment = ['env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C'];
  const apt = (...words) => {
    const command = [...sudo, ...environment, 'apt-get', '-o', 'DPkg::Lock::Timeout=300', ...words];
    return runCommand({ command, cwd: root, log });
  };
  show('reading the package lists');
  // A failed update is not fatal: the packages may be known already.
  const update = await apt('update');
  // Where the lists could not be read, an unknown package says nothing about the release: apt-get gives the reason.
  const isRead = update.status === 0 && !/^W: .*(failed to fetch|failed to download)/im.test(update.output);
  const libtorch = candidate('libtorch-dev');
  if (required.includes('libtorch-dev') && (isRead || libtorch !== null)) requireLibtorch(libtorch);
  const known = useful.filter((name) => candidate(name) !== null);
  const packages = [...required, ...known];
  for (const name of useful)
    if (!known.includes(name)) log(`${name} is not offered by this system: left out\n`);
  if (packages.length === 0) return;
  show(packages.join(' '));
  const install = await apt('install', '-y', '--no-install-recommends', ...packages);
  if (install.status !== 0) {
    const reason = aptError(update.status === 0 ? install.output : update.output + install.output);
    if (required.length > 0) throw new StepError(reason, aptCommands(packages).join(' && '));
    show(`going on without ${packages.join(' ')}: ${reason}`);
  }
}

/** Refuses an offered libtorch that is too old, or none: Ubuntu 22.04 has 1.8.1, and Ubuntu 24.04 has none. */
function requireLibtorch(version) {
  const [major, minor] = (version ?? '0.0').split('.').map((part) => Number.parseInt(part, 10));
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return;
  const offered = version === null ? 'no libtorch-dev' : `libtorch-dev ${version}`;
  throw new SetupError(
    `Expected libtorch ${OLDEST.major}.${OLDEST.minor} or newer but this system offers ${offered}. Instead, ${OTHER_LIBTORCH}`,
    2,
  );
}

/** The version of a package that apt would install, or null. */
function candidate(name) {
  const answer = spawnSync('apt-cache', ['policy', name], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return answer.stdout?.match(/Candidate: (?!\(none\))(\S+)/)?.[1] ?? null;
}

/** The error lines of apt-get or sudo. */
function aptError(output) {
  const lines = output.split('\n').map((line) => line.trim());
  const errors = lines
    .filter((line) => /^(E:|sudo:|dpkg: error)/.test(line))
    .map((line) => line.replace(/^E: /, ''));
  return errors.length > 0
    ? [...new Set(errors)].slice(0, 2).join('; ')
    : (lines.findLast((line) => line !== '') ?? 'it said nothing');
}

function onPath(program) {
  return (process.env.PATH ?? '')
    .split(':')
    .some((folder) => folder !== '' && existsSync(join(folder, program)));
}

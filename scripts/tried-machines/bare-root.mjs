/** A bare system in a folder: made by debootstrap, entered by chroot. */
import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { NPM_OF_NODE } from './machines.mjs';

/** Where the newest PyTorch is in a root: what pip installed there, or the site-packages that the caller lends. */
export const WHEELS = '/opt/wheels';

/** Run under `ALONE`, so that its mounts are gone when it ends: deleting a root never reaches what was mounted in it. */
const ENTER = `set -e
mount -t proc proc "$1/proc"
mount --rbind --make-rslave /sys "$1/sys"
mount -t tmpfs tmpfs "$1/dev/shm"
mount -t devpts -o ptmxmode=666 devpts "$1/dev/pts"
if [ -n "$2" ]; then
  mkdir -p "$1${WHEELS}"
  mount --bind -o ro "$2" "$1${WHEELS}"
fi
exec chroot "$1" env -i "HOME=/root" "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" sh -c "$3"`;

/** With mounts and processes of its own. */
const ALONE = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];

/**
 * Makes the root of a machine, and on it what the README asks for, but for Node: git and a network.
 * @param {{ root: string, machine: import('./machines.mjs').Machine, ca: string | undefined, keyring: string | undefined,
 *   logFile: string }} options `ca`: the certificates that this network wants to be trusted; `keyring`: Ubuntu's keys
 * @returns {boolean}
 */
export function makeRoot({ root, machine, ca, keyring, logFile }) {
  rmSync(root, { recursive: true, force: true });
  const isUbuntu = machine.distribution === 'ubuntu';
  const bare = [
    'debootstrap',
    '--variant=minbase',
    ...(isUbuntu ? ['--components=main,universe'] : []),
    ...(isUbuntu && keyring !== undefined ? [`--keyring=${keyring}`] : []),
    machine.suite,
    root,
  ];
  if (!logged([...ALONE, ...bare], logFile)) return false;
  writeFileSync(join(root, 'etc/hosts'), `127.0.0.1 localhost ${hostname()}\n`);
  copyFileSync('/etc/resolv.conf', join(root, 'etc/resolv.conf'));
  if (ca !== undefined) {
    copyFileSync(ca, join(root, 'etc/satin-ca.crt'));
    writeFileSync(join(root, 'root/.npmrc'), 'cafile=/etc/satin-ca.crt\n');
  }
  const packages = ['git', ...machine.packages];
  const install = `apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  return enter({ root, command: install, logFile });
}

/** Makes a Node out of npm's registry, with its npm, the one on a root's PATH. */
export function useNode({ root, version, logFile }) {
  const place = `/opt/node-${version}`;
  const name = `node-linux-${process.arch}`;
  const wanted = [`${name}@${version}`, `npm@${NPM_OF_NODE[version]}`];
  const install = ['npm', 'install', '--no-audit', '--no-fund', '--prefix', join(root, place), ...wanted];
  if (!logged(install, logFile)) return false;
  const programs = { node: `${name}/bin/node`, npm: 'npm/bin/npm-cli.js', npx: 'npm/bin/npx-cli.js' };
  for (const [program, file] of Object.entries(programs)) {
    const link = join(root, 'usr/local/bin', program);
    rmSync(link, { force: true });
    symlinkSync(`${place}/node_modules/${file}`, link);
  }
  return true;
}

/**
 * Runs a shell's command line in a root, with an empty environment; its output goes to the log.
 * @param {{ root: string, command: string, logFile: string, wheels?: string }} options `wheels`: a folder of this system
 *   that is seen at `WHEELS`
 * @returns {boolean} whether it succeeded
 */
export function enter({ root, command, logFile, wheels = '' }) {
  return logged([...ALONE, 'sh', '-c', ENTER, 'enter', root, wheels, command], logFile);
}

/** What a command in a root printed. */
export function ask({ root, command }) {
  const words = [...ALONE, 'sh', '-c', ENTER, 'enter', root, '', command];
  return spawnSync(words[0], words.slice(1), { encoding: 'utf8' }).stdout.trim();
}

function logged(words, logFile) {
  const log = openSync(logFile, 'a');
  writeFileSync(log, `$ ${words.at(-1)}\n`);
  const { status } = spawnSync(words[0], words.slice(1), { stdio: ['ignore', log, log] });
  closeSync(log);
  return status === 0;
}

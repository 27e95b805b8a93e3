/**
 * Tries the README's commands on bare machines, before a release:
 *
 *     node scripts/tried-machines/run.mjs FOLDER [MACHINE...]
 *
 * as root on Linux, with debootstrap, npm and git. Each machine of machines.mjs (or those named) is made anew in FOLDER, the
 * commit that is checked out is cloned into it, and the set-up, `satin doctor`, the quickstart's smoke variant, the package in
 * a project of its own with the examples, and tests are run there with an empty environment. FOLDER/MACHINE.log has all that was
 * printed, FOLDER/results.md a line per machine for the table of docs/setup.md. A root that passed is deleted; one that failed
 * stays, to be looked at.
 *
 *     --node VERSION   only this one of a machine's versions of Node
 *     --whole          all of `npm test`, not the tests that touch the system alone
 *     --ca FILE        certificates that npm and pip must trust, where a proxy signs with its own
 *     --keyring FILE   Ubuntu's keys (its package ubuntu-keyring has them), where debootstrap does not find them; a
 *                      debootstrap that does not know a release of Ubuntu wants a link of that name in its scripts/ to gutsy
 *     --wheels FOLDER  the site-packages of this system with the newest PyTorch, instead of pip's download
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ask, enter, makeRoot, useNode, WHEELS } from './bare-root.mjs';
import { MACHINES } from './machines.mjs';

/** Tests that meet the system: its compiler, libtorch, files, terminal, processes and signals. */
const SYSTEM_TESTS =
  'tensor engine distributed files data cli/terminal system/setup system/native-build system/threads';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    whole: { type: 'boolean', default: false },
    node: { type: 'string' },
    ca: { type: 'string' },
    keyring: { type: 'string' },
    wheels: { type: 'string' },
  },
});
const [given, ...names] = positionals;
const unknown = names.find((name) => !MACHINES.some((machine) => machine.name === name));
if (given === undefined || unknown !== undefined) {
  console.error(
    unknown === undefined
      ? 'Expected a folder for the roots.'
      : `Expected one of ${MACHINES.map(({ name }) => name).join(', ')} but received '${unknown}'.`,
  );
  process.exit(2);
}
if (process.getuid?.() !== 0) {
  console.error('Expected to be run as root, who may make a system in a folder and enter it.');
  process.exit(2);
}
const folder = resolve(given);
const repository = fileURLToPath(new URL('../..', import.meta.url));
const git = (...words) => execFileSync('git', ['-C', repository, ...words], { encoding: 'utf8' }).trim();
const commit = git('rev-parse', '--short', 'HEAD');
mkdirSync(folder, { recursive: true });

/** The command lines of the proof, each with the name of its step. */
function proof(machine) {
  const libtorch = machine.wheel ? `LIBTORCH=${WHEELS}/torch ` : '';
  const pip = values.ca === undefined ? 'pip' : 'pip --cert /etc/satin-ca.crt';
  const install = `python3 -m venv /opt/venv && /opt/venv/bin/${pip} install --target ${WHEELS} torch`;
  const tests = values.whole ? 'npm test' : `node scripts/run-tests.mjs ${SYSTEM_TESTS}`;
  return [
    ...(machine.wheel && values.wheels === undefined ? [['pip', install]] : []),
    ['set-up', `${libtorch}npm run setup`],
    ['doctor', `${libtorch}./satin doctor`],
    ['quickstart', `${libtorch}./satin quickstart --smoke --out /root/quickstart`],
    ['package', `${libtorch}sh scripts/tried-machines/try-package.sh /root/project`],
    [values.whole ? 'all tests' : 'tests of the system', `${libtorch}${tests}`],
  ];
}

/** The versions that make this machine this machine. */
function versions(root) {
  const engine = `process.stdout.write(JSON.parse(fs.readFileSync('native/build/engine.json')).libtorch.version)`;
  const lines = [
    '. /etc/os-release && echo "$PRETTY_NAME"',
    'getconf GNU_LIBC_VERSION',
    'echo g++ $(g++ -dumpfullversion)',
    'node --version',
    `cd /root/satin && node -e "${engine}"`,
  ];
  return lines.map((command) => ask({ root, command }) || '-');
}

/** Makes one machine and runs the proof on it, with each Node until a step fails; notes what happened. */
function tryMachine(machine) {
  const root = join(folder, machine.name);
  const logFile = `${root}.log`;
  writeFileSync(logFile, '');
  const wheels = machine.wheel ? values.wheels : undefined;
  const run = (command) => enter({ root, command: `cd /root/satin && ${command}`, logFile, wheels });
  const make = () => {
    if (!makeRoot({ root, machine, ca: values.ca, keyring: values.keyring, logFile })) return false;
    git('clone', '--quiet', '--no-hardlinks', repository, join(root, 'root/satin'));
    return true;
  };
  const nodes = machine.nodes.filter((version) => [undefined, String(version)].includes(values.node));
  const allPassed = nodes.every((version, index) => {
    // The binding is kept: no Node has a part in it.
    const prepare = index === 0 ? make : () => run('rm -rf node_modules dist /root/quickstart /root/project');
    const steps = [
      ['bare root', prepare],
      ...(version === null ? [] : [['node', () => useNode({ root, version, logFile })]]),
      ...proof(machine).map(([name, command]) => [name, () => run(command)]),
    ];
    const ran = [];
    const failed = steps.find(([name, action]) => {
      const start = Date.now();
      const passed = action();
      ran.push(`${name} ${Math.round((Date.now() - start) / 1000)} s`);
      console.error(`${machine.name}: ${ran.at(-1)}${passed ? '' : ', failed'}`);
      return !passed;
    });
    note({ root, machine, ran, result: failed === undefined ? 'passed' : `failed: ${failed[0]}` });
    return failed === undefined;
  });
  if (allPassed) rmSync(root, { recursive: true });
  else process.exitCode = 1;
}

/** Adds a line to the table. */
function note({ root, machine, ran, result }) {
  const [system, glibc, compiler, node, libtorch] = versions(root);
  const source = `${libtorch} (${machine.wheel ? 'pip' : 'system'})`;
  const date = new Date().toISOString().slice(0, 10);
  const cells = [date, commit, `${system}, ${glibc}, ${compiler}`, node, source, ran.join(', '), result];
  appendFileSync(join(folder, 'results.md'), `| ${cells.join(' | ')} |\n`);
}

for (const machine of MACHINES) if (names.length === 0 || names.includes(machine.name)) tryMachine(machine);

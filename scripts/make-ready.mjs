/**
 * The setup: plans what is missing, asks before anything is installed, and then proceeds in this order:
 * system packages, npm packages, the binding, TypeScript, the web pages.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, isBuilt } from '../native/build.mjs';
import { readJson, writeJson } from '../native/build-stamp.mjs';
import { findLibtorch } from '../native/find-libtorch.mjs';
import { arePackagesInstalled, installPackages, NPM_COMMAND } from './npm-packages.mjs';
import { oneAtATime } from './one-at-a-time.mjs';
import { OTHER_LIBTORCH } from './other-libtorch.mjs';
import { ask, permission } from './permission.mjs';
import { runStep, SetupError, StepError } from './step.mjs';
import {
  aptCommands,
  hasApt,
  installSystemPackages,
  mayRunApt,
  missingPackages,
} from './system-packages.mjs';
import { compileTypeScript, isCompiled } from './typescript.mjs';
import { arePagesBuilt, buildPages } from './web-pages.mjs';

/**
 * Installs and builds what is missing.
 * @param {{ root: string, need: 'cli' | 'pages' | 'engine', env?: Record<string, string | undefined>, screen?: NodeJS.WriteStream }} options
 *   `cli` and `page` skip everything related to libtorch, `cli` also the page of the demo; `screen` shows the progress
 * @throws {SetupError | import('../native/find-libtorch.mjs').LibtorchError}
 */
export async function makeReady({ root, need, env = process.env, screen = process.stderr }) {
  const folder = join(root, 'native', 'build');
  await oneAtATime({
    lockFile: join(folder, 'setup.lock'),
    onWait: (pid) =>
      screen.write(
        `Waiting for the set-up that process ${pid} makes. If there is none, delete ${join(folder, 'setup.lock')}.\n`,
      ),
    action: async () => {
      const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
      const plan = await agree({ plan: planSetup({ root, need, env }), root, env, screen, isTerminal });
      await carryOut({ plan, need, root, env, screen, isTerminal });
    },
  });
}

/** Prints a setup error and sets the exit code; anything else is a bug and keeps its stack trace. */
export function reportFailure(error) {
  if (error.exitCode === undefined) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}

/**
 * @typedef {object} Plan
 * @property {string[]} required system packages required for compiling
 * @property {string[]} useful optional system packages
 * @property {boolean} npm whether npm's packages are to be installed
 * @property {boolean} binding whether the binding is to be compiled
 * @property {boolean} typescript whether the TypeScript is to be compiled
 * @property {boolean} pages whether the web pages are to be built
 */

/** What is missing. Optional packages that were declined once are not offered again. */
function planSetup({ root, need, env }) {
  const npm = !arePackagesInstalled(root);
  const binding = need === 'engine' && !isBuilt({ root, env });
  const missing = binding ? missingPackages(env) : { required: [], useful: [] };
  const declined = readJson(declinedFile(root)) ?? [];
  const useful = missing.useful.filter((name) => hasApt() && !declined.includes(name));
  const pages = need !== 'cli' && (npm || !arePagesBuilt(root));
  return { required: missing.required, useful, npm, binding, typescript: npm || !isCompiled(root), pages };
}

const declinedFile = (root) => join(root, 'native', 'build', 'declined-packages.json');

/** The permitted part of the plan; throws if something required may not be installed. */
async function agree({ plan, root, env, screen, isTerminal }) {
  const { required, useful, npm } = plan;
  if (required.length > 0 && !hasApt()) throw missingByHand(required);
  const offered = mayRunApt() ? plan : { ...plan, useful: [] };
  const commands = [
    ...(required.length + offered.useful.length > 0 ? aptCommands([...required, ...useful]) : []),
    ...(npm ? [`cd ${root} && ${NPM_COMMAND.join(' ')}`] : []),
  ];
  const wanted = `Satin is not set up yet: it lacks ${lacking(plan)}.\n${commands.map((command) => `  ${command}`).join('\n')}\n`;
  const alternatives = required.includes('libtorch-dev') ? `\nWithout root, ${OTHER_LIBTORCH}` : '';
  if (required.length > 0 && !mayRunApt())
    throw new SetupError(
      `${wanted}You are not root and there is no sudo: root must run apt-get.${alternatives}`,
      2,
    );

  let decision = permission({ env, isRoot: process.getuid?.() === 0, isTerminal });
  let refusal = `${wanted}Run these, or start again with SATIN_INSTALL=1, which runs them.`;
  if (decision === 'ask' && commands.length > 0) {
    screen.write(`${wanted}Then it compiles ${compiled(plan)}.\n`);
    const answer = await ask('Install this now? [y/N] ');
    if (answer === 'interrupted') throw new SetupError('', 130);
    decision = answer === 'yes' ? 'install' : 'refuse';
    refusal = 'Nothing was installed.';
  }
  if (decision === 'install' && offered === plan) return plan;
  if (decision === 'refuse' && (required.length > 0 || npm))
    throw new SetupError(`${refusal}${alternatives}`, 2);
  if (useful.length > 0) {
    screen.write(
      `Going on without useful system packages; to have them: ${aptCommands(useful).join(' && ')}\n`,
    );
    writeJson(declinedFile(root), useful);
  }
  return { ...plan, useful: [] };
}

/** What is missing, in words. */
function lacking({ required, useful, npm }) {
  const things = [
    required.includes('g++') && 'a C++ compiler',
    required.includes('libtorch-dev') && 'libtorch',
    required.length === 0 && useful.length > 0 && 'useful system packages',
    npm && "npm's packages",
  ].filter((thing) => thing !== false);
  return new Intl.ListFormat('en').format(things);
}

/** What is compiled, with what takes long. */
function compiled({ binding, typescript, pages }) {
  return new Intl.ListFormat('en').format([
    ...(binding ? ['the binding to libtorch (two to four minutes on two processors)'] : []),
    ...(typescript ? ['the TypeScript'] : []),
    ...(pages ? ['the web pages'] : []),
  ]);
}

/** The error on a system whose packages Satin cannot install. */
function missingByHand(required) {
  const sentences = [];
  if (required.includes('g++'))
    sentences.push('Expected a C++ compiler (g++ or clang++, or CXX) but found none.');
  if (required.includes('libtorch-dev'))
    sentences.push('Expected an installed libtorch 1.13 or newer but found none.');
  const homebrew = process.platform === 'darwin' ? '\n  - brew install pytorch (not run here)' : '';
  const ways = required.includes('libtorch-dev') ? `\nWithout root, ${OTHER_LIBTORCH}${homebrew}` : '';
  return new SetupError(
    `${sentences.join(' ')} Satin installs system packages on Debian and Ubuntu only.${ways}`,
    2,
  );
}

/** Executes the plan step by step. */
async function carryOut({ plan, need, root, env, screen, isTerminal }) {
  const logFile = join(root, 'native', 'build', 'setup.log');
  mkdirSync(dirname(logFile), { recursive: true });
  writeFileSync(logFile, '');
  const log = (text) => appendFileSync(logFile, text);
  const { required, useful } = plan;
  const steps = [
    required.length + useful.length > 0 && {
      title: 'system packages',
      action: (show) => installSystemPackages({ required, useful, root, log, show, isTerminal }),
    },
    plan.npm && { title: 'npm packages', action: (show) => installPackages({ root, log, show }) },
    plan.binding && {
      title: 'binding to libtorch',
      action: (show) => compileBinding({ root, env, log, show, screen }),
    },
    plan.typescript && { title: 'TypeScript', action: () => compileTypeScript({ root, log }) },
    plan.pages && { title: 'web pages', action: () => buildPages({ root, log }) },
  ].filter((step) => step !== false);
  const shown = relative(process.cwd(), logFile);
  screen.write(opening({ plan, need, shown }));
  for (const [index, { title, action }] of steps.entries()) {
    await runStep({ title, action, number: index + 1, total: steps.length, logFile: shown, screen });
  }
}

/** What will happen, before the first step, so that nobody wonders what a first start waits for. */
function opening({ plan, need, shown }) {
  const first = plan.npm ? ["npm's packages"] : [];
  const packages = [...(plan.required.length + plan.useful.length > 0 ? ['system packages'] : []), ...first];
  const work = [
    ...(packages.length > 0 ? [`installs ${new Intl.ListFormat('en').format(packages)}`] : []),
    ...(plan.binding || plan.typescript || plan.pages ? [`compiles ${compiled(plan)}`] : []),
  ].join(' and ');
  const waits = need === 'cli' ? 'For this text the set-up only' : 'The set-up';
  return `${waits} ${work}. Its log is ${shown}.\n`;
}

/** Compiles the binding; the compiler's output goes to the log. */
async function compileBinding({ root, env, log, show, screen }) {
  if (findLibtorch({ env }) === null)
    throw new StepError(
      'the installed libtorch is older than 1.13 or has no headers',
      'LIBTORCH=/path/to/a/newer/libtorch npm run setup',
    );
  try {
    const onProgress = (done, total) => show(`${done} of ${total} files`);
    const { libtorch } = await build({ root, env, onProgress });
    if (libtorch.note !== null) screen.write(`\n${libtorch.note}\n`);
  } catch (error) {
    if (error.code !== 'build') throw error;
    log(error.output);
    throw new StepError(error.message, `node ${join(root, 'native', 'build.mjs')}`);
  }
}

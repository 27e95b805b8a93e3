/**
 * Runs the compiled tests: `node scripts/run-tests.mjs [--slow | --cuda] [NAME...]`. `NAME` picks test/NAME.test.ts and
 * test/NAME.TOPIC.test.ts, or all tests of the folder test/NAME; the last part of a path is enough where one source has
 * it. `--slow` runs those of test/slow instead, `--cuda` those of test/cuda, on a graphics card or on the device that
 * SATIN_TEST_DEVICE names. TypeScript that changed is compiled first.
 *
 * Most files use one thread, so one per processor runs in parallel, at most four. Tests that measure time, race with signals
 * or use every processor run afterwards, one at a time; so do slow tests.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { makeReady, reportFailure } from './make-ready.mjs';
import { isReady } from './ready.mjs';
import { SetupError } from './step.mjs';
import { fileOfGroup, groupsOf } from './test-groups.mjs';
import { meant, testNames } from './test-names.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Folders whose tests run only if they are asked for. */
const special = ['slow', 'cuda'];
const asked = special.find((name) => process.argv.includes(`--${name}`)) ?? '';
const folder = join(root, 'test', asked);
const picked = process.argv.slice(2).filter((argument) => argument !== `--${asked}`);

/** Tests that must not run in parallel with others. */
const alone = [
  'app/plan/plan',
  'cli/interrupt',
  'cli/terminal/terminal',
  'distributed/launcher-environment',
  'files/lock',
  'runs/checkpoint',
  'system/interrupt',
  'system/memory',
  'system/ranks',
  'system/refusals.start',
  'system/setup',
  'system/threads',
];

/**
 * The names of the tests to run.
 * @throws {SetupError} if there are none, or none match a requested name: CI must not pass without tests
 */
function chosenNames() {
  const names = testNames(folder, asked === '' ? special : []);
  const gone = asked !== '' ? [] : alone.filter((name) => !names.includes(name));
  if (names.length === 0) throw new SetupError(`Expected tests in ${folder} but found none.`, 1);
  if (gone.length > 0)
    throw new SetupError(
      `Expected tests of the names that run alone but there is no '${gone.join("', '")}'.`,
      1,
    );
  if (picked.length === 0) return names;
  const chosen = picked.flatMap((wanted) => {
    const found = meant(wanted, names);
    if (found.isAmbiguous)
      throw new SetupError(`Expected one test but '${wanted}' may be ${found.names.join(', ')}.`, 2);
    if (found.names.length === 0)
      throw new SetupError(`Expected the name of a test, such as ${names[0]}, but received '${wanted}'.`, 2);
    return found.names;
  });
  return [...new Set(chosen)];
}

/** @throws {SetupError} once, rather than in every test, if the device of the tests is not there */
async function requireDevice() {
  const { chooseDevice } = await import(new URL('../dist/src/engine/device.js', import.meta.url).href);
  const name = process.env.SATIN_TEST_DEVICE ?? 'cuda:0';
  if (name === 'mock') return;
  try {
    chooseDevice(name, 'SATIN_TEST_DEVICE');
  } catch (error) {
    throw new SetupError(`${error.message} SATIN_TEST_DEVICE=mock rehearses the tests without a card.`, 2);
  }
}

/** The compiled file of a test. */
const compiled = (name) => join(root, 'dist', 'test', asked, `${name}.test.js`);

/** Runs compiled tests, each group in one process, and shows their results. */
function runTests(groups, concurrency) {
  const groupFiles = mkdtempSync(join(tmpdir(), 'satin-tests-'));
  const files = groups.map((group) => fileOfGroup(group, compiled, groupFiles));
  const results = run({ files, concurrency });
  let passed = 0;
  results.on('test:pass', () => {
    passed += 1;
  });
  results.on('test:fail', () => {
    process.exitCode = 1;
  });
  results.compose(spec).pipe(process.stdout, { end: false });
  return new Promise((resolve) => {
    results.on('end', () => {
      rmSync(groupFiles, { recursive: true });
      if (passed === 0) process.exitCode = 1;
      resolve();
    });
  });
}

// Tests leave nothing in the user's cache folder.
process.env.SATIN_IMAGE_CACHE ??= 'off';
try {
  const names = chosenNames();
  if (!isReady({ root, need: 'pages' })) await makeReady({ root, need: 'pages' });
  if (asked === 'cuda') await requireDevice();
  const together = asked !== '' ? [] : names.filter((name) => !alone.includes(name));
  const others = names.filter((name) => !together.includes(name));
  if (together.length > 0) await runTests(groupsOf(together, compiled), Math.min(4, availableParallelism()));
  if (others.length > 0)
    await runTests(
      others.map((name) => [name]),
      1,
    );
} catch (error) {
  reportFailure(error);
}

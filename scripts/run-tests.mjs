/**
 * Runs the compiled tests: `node scripts/run-tests.mjs [--slow] [NAME...]`. `NAME` picks test/NAME.test.ts;
 * `--slow` runs those of test/slow instead. TypeScript that changed is compiled first.
 *
 * One file at a time: libtorch uses every processor, and some tests measure time.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { makeReady, reportFailure } from './make-ready.mjs';
import { isReady } from './ready.mjs';
import { SetupError } from './step.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const slow = process.argv.includes('--slow');
const picked = process.argv.slice(2).filter((argument) => argument !== '--slow');

/** The names of the tests that have a source: what an old test left behind in dist/ is no test. */
function testNames() {
  const folder = join(root, 'test', slow ? 'slow' : '');
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const names = files
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => name.slice(0, -'.test.ts'.length));
  return names.sort();
}

/**
 * The compiled files to run.
 * @throws {SetupError} where there is none, or none of a name that was asked for: a gate must not be empty
 */
function testFiles() {
  const names = testNames();
  const unknown = picked.filter((name) => !names.includes(name));
  if (names.length === 0)
    throw new SetupError(`Expected tests in test/${slow ? 'slow/' : ''} but found none.`, 1);
  if (unknown.length > 0)
    throw new SetupError(
      `Expected names of tests (${names.join(', ')}) but received '${unknown.join("', '")}'.`,
      2,
    );
  const chosen = picked.length === 0 ? names : picked;
  return chosen.map((name) => join(root, 'dist', 'test', slow ? 'slow' : '', `${name}.test.js`));
}

try {
  const files = testFiles();
  if (!isReady({ root, need: 'cli' })) await makeReady({ root, need: 'cli' });
  const results = run({ files, concurrency: 1 });
  let passed = 0;
  results.on('test:pass', () => {
    passed += 1;
  });
  results.on('test:fail', () => {
    process.exitCode = 1;
  });
  results.on('end', () => {
    if (passed === 0) process.exitCode = 1;
  });
  results.compose(spec).pipe(process.stdout);
} catch (error) {
  reportFailure(error);
}

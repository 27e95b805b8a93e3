/**
 * `./satin ARGUMENTS`: runs the setup if something is missing, then runs the command line in this process.
 * If everything is up to date, this only checks file sizes and times, and loads neither libtorch nor npm.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isReady } from './ready.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** These only print text: they must work where libtorch cannot be installed. */
const TEXT_ONLY = { options: ['--help', '-h', '--version', '-V'], commands: ['help', 'list', 'completion'] };

const words = process.argv.slice(2);
/** What the tab key asks is answered at once or not at all. */
const isHurried = words[0] === 'completion' && words.includes('--');
const need =
  words.length === 0 ||
  TEXT_ONLY.commands.includes(words[0]) ||
  words.some((word) => TEXT_ONLY.options.includes(word))
    ? 'cli'
    : 'engine';
let failed = false;
if (!isReady({ root, need })) {
  if (isHurried) process.exit(1);
  const { makeReady, reportFailure } = await import('./make-ready.mjs');
  try {
    await makeReady({ root, need });
  } catch (error) {
    failed = true;
    reportFailure(error);
  }
}
if (!failed) await import(pathToFileURL(join(root, 'dist', 'src', 'cli', 'main.js')).href);

/**
 * Which test files share a process. Loading libtorch takes half a second, as long as most test files run: those that need no
 * process of their own are imported together, some at a time.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Files a process: few enough that the processes end at about the same time. */
const MOST = 6;

/** Folders of tests that start programs of their own, or change what the process is. */
const APART = ['cli', 'commands', 'distributed', 'engine', 'system'];

/**
 * Whether a compiled test file leaves the others in its process alone. Neither it nor what it imports from test/support waits
 * while it is loaded, since then tests of another file would run in between; it has no hooks outside `describe`, which
 * would run for all files; and it does not look at what the process has loaded or how much memory it has, nor have a device
 * made for itself.
 * @param {string} file
 * @returns {boolean}
 */
export function keepsToItself(file) {
  const source = readFileSync(file, 'utf8');
  // In what tsc writes, only the statements of a module begin in the first column.
  const statements = source.split(/\n(?=[^\s})\]])/);
  const isApart = statements.some(
    (statement) =>
      /^(?:(?!\basync\b)[\s\S])*?\bawait\b/.test(statement) ||
      /^(before|beforeEach|afterEach)\(/.test(statement) ||
      /\b(isLoaded|memoryInfo)\(|SATIN_MOCK_DEVICE/.test(statement),
  );
  return !isApart && supportOf(file, source).every(keepsToItself);
}

/** The files of test/support that a file imports. */
function supportOf(file, source) {
  return [...source.matchAll(/ from '(\.[^']+)'/g)]
    .map(([, path]) => fileURLToPath(new URL(path, pathToFileURL(file))))
    .filter((path) => path.includes(join('test', 'support')));
}

/**
 * Names of tests that share a process, in order.
 * @param {readonly string[]} names
 * @param {(name: string) => string} fileOf the compiled file of a name
 * @returns {string[][]}
 */
export function groupsOf(names, fileOf) {
  const groups = [];
  let open = [];
  for (const name of names) {
    if (APART.includes(name.split('/')[0]) || !keepsToItself(fileOf(name))) {
      groups.push([name]);
      continue;
    }
    if (open.length === MOST) open = [];
    if (open.length === 0) groups.push(open);
    open.push(name);
  }
  return groups;
}

/**
 * The file to run for a group: the only one, or one in `folder` that imports all.
 * @param {readonly string[]} group
 * @param {(name: string) => string} fileOf
 * @param {string} folder
 */
export function fileOfGroup(group, fileOf, folder) {
  if (group.length === 1) return fileOf(group[0]);
  const path = join(folder, `${group[0].replaceAll('/', '-')}.test.mjs`);
  writeFileSync(path, group.map((name) => `import '${pathToFileURL(fileOf(name))}';\n`).join(''));
  return path;
}

/** The compiled TypeScript in dist/, with the web page in dist/web/: whether it is up to date, and compiling it. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { digest, fileIdentity, readJson, writeJson } from '../native/build-stamp.mjs';
import { runCommand, StepError } from './step.mjs';

/** The folders that tsconfig.json includes, and that of the web page. */
const FOLDERS = ['src', 'test', 'bench', 'studies', 'web'];

const stampFile = (root) => join(root, 'dist', 'made-from.json');
const entry = (root) => join(root, 'dist', 'src', 'cli', 'main.js');
const page = (root) => join(root, 'dist', 'web', 'index.html');

/**
 * Whether dist/ is up to date with the sources; compares sizes and times.
 * @param {string} root
 * @returns {boolean}
 */
export function isCompiled(root) {
  return (
    existsSync(entry(root)) &&
    existsSync(page(root)) &&
    readJson(stampFile(root))?.madeFrom === sourceStamp(root)
  );
}

/**
 * Runs the TypeScript compiler, on the page too, and bundles the page.
 * @param {{ root: string, log: (text: string) => void }} options
 * @throws {StepError}
 */
export async function compileTypeScript({ root, log }) {
  const madeFrom = sourceStamp(root); // before it reads a file: what is edited meanwhile is compiled next time
  // Its build info would make it skip files that were deleted from dist/.
  if (!existsSync(stampFile(root)) || !existsSync(entry(root)))
    rmSync(join(root, 'dist', 'tsconfig.tsbuildinfo'), { force: true });
  const tools = join(root, 'node_modules', '.bin');
  const commands = [
    { command: [join(tools, 'tsc'), '--project', root, '--pretty', 'false'], remedy: 'npx tsc' },
    {
      command: [join(tools, 'tsc'), '--project', join(root, 'web'), '--pretty', 'false'],
      remedy: 'npx tsc -p web',
    },
    {
      command: [join(tools, 'vite'), 'build', '--config', join(root, 'web', 'vite.config.mjs')],
      remedy: 'npx vite build --config web/vite.config.mjs',
    },
  ];
  for (const { command, remedy } of commands) {
    const { status, output } = await runCommand({ command, cwd: root, log });
    if (status !== 0) throw new StepError(firstProblem(output), `cd ${root} && ${remedy}`);
  }
  writeJson(stampFile(root), { madeFrom });
}

/** The first error of a compiler, and how many follow. */
function firstProblem(output) {
  const lines = output.trim().split('\n');
  const errors = lines.filter((line) => /error TS\d+/.test(line));
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return `${errors[0] ?? lines.at(-1)}${more}`;
}

/** A digest of the size and time of every source and of the compiler's settings. */
function sourceStamp(root) {
  const sources = FOLDERS.flatMap((folder) => sourceFiles(join(root, folder)));
  const settings = ['tsconfig.json', 'package-lock.json', 'web/tsconfig.json', 'web/vite.config.mjs'].map(
    (name) => join(root, name),
  );
  return digest([...settings, ...sources.sort()].map(fileIdentity));
}

function sourceFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((found) => {
    const path = join(folder, found.name);
    if (found.isDirectory()) return sourceFiles(path);
    return /\.(tsx?|css|html|svg)$/.test(found.name) ? [path] : [];
  });
}

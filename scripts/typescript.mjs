/** The compiled TypeScript in dist/: whether it is up to date, and compiling it. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { digest, fileIdentity, readJson, writeJson } from '../native/build-stamp.mjs';
import { runCommand, StepError } from './step.mjs';

/** The folders that tsconfig.json includes. */
const FOLDERS = ['src', 'test', 'bench', 'studies'];

const stampFile = (root) => join(root, 'dist', 'made-from.json');
const entry = (root) => join(root, 'dist', 'src', 'cli', 'main.js');

/**
 * Whether dist/ is up to date with the sources; compares sizes and times.
 * @param {string} root
 * @returns {boolean}
 */
export function isCompiled(root) {
  return existsSync(entry(root)) && readJson(stampFile(root))?.madeFrom === sourceStamp(root);
}

/**
 * Runs the TypeScript compiler.
 * @param {{ root: string, log: (text: string) => void }} options
 * @throws {StepError}
 */
export async function compileTypeScript({ root, log }) {
  const madeFrom = sourceStamp(root); // before it reads a file: what is edited meanwhile is compiled next time
  // Its build info would make it skip files that were deleted from dist/.
  if (!existsSync(stampFile(root)) || !existsSync(entry(root)))
    rmSync(join(root, 'dist', 'tsconfig.tsbuildinfo'), { force: true });
  const command = [join(root, 'node_modules', '.bin', 'tsc'), '--project', root, '--pretty', 'false'];
  const { status, output } = await runCommand({ command, cwd: root, log });
  if (status !== 0) {
    const lines = output.trim().split('\n');
    const errors = lines.filter((line) => /error TS\d+/.test(line));
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    throw new StepError(`${errors[0] ?? lines.at(-1)}${more}`, `cd ${root} && npx tsc`);
  }
  writeJson(stampFile(root), { madeFrom });
}

/** A digest of the size and time of every source and of the compiler's settings. */
function sourceStamp(root) {
  const sources = FOLDERS.flatMap((folder) => typeScriptFiles(join(root, folder)));
  const settings = ['tsconfig.json', 'package-lock.json'].map((name) => join(root, name));
  return digest([...settings, ...sources.sort()].map(fileIdentity));
}

function typeScriptFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((found) => {
    const path = join(folder, found.name);
    if (found.isDirectory()) return typeScriptFiles(path);
    return /\.tsx?$/.test(found.name) ? [path] : [];
  });
}

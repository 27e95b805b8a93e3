/**
 * Compiles `native/*.cc` and links `native/build/<engine>/satin.node`; nothing that is up to date is done again.
 *
 *     node native/build.mjs                     for the libtorch that is found
 *     LIBTORCH=/opt/libtorch node native/build.mjs   for another; each has a folder of its own
 *
 * `native/build/engine.json` names the binary that was chosen last; `src/native.ts` reads it.
 * Only Node's built-in modules and the headers of two npm packages are used.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFlags, findCompiler, isKernel, linkFlags } from './compiler.mjs';
import { findLibtorch, libtorchIdentity } from './libtorch.mjs';

/** A file that includes torch's headers takes about this much memory to compile. */
const BYTES_PER_JOB = 1.5e9;

/** The compiler or the linker refused, or there is none. */
export class BuildError extends Error {
  code = 'build';
  exitCode = 1;
  name = 'BuildError';
  /** @param {string} message @param {string} output everything the compiler said */
  constructor(message, output = '') {
    super(message);
    this.output = output;
  }
}

/**
 * Builds what is not up to date and writes `engine.json`.
 * @param {{ root: string, env?: Record<string, string | undefined>, force?: boolean,
 *   onProgress?: (done: number, total: number, name: string) => void }} options
 * @returns {Promise<{ binary: string, compiled: number, libtorch: import('./libtorch.mjs').Libtorch }>}
 * @throws {BuildError | import('./libtorch.mjs').LibtorchError}
 */
export async function build({ root, env = process.env, force = false, onProgress = () => {} }) {
  const libtorch = findLibtorch({ env });
  if (libtorch === null) throw new BuildError('Expected an installed libtorch but found none.');
  const compiler = findCompiler(env);
  if (compiler === null)
    throw new BuildError(
      env.CXX
        ? `Expected a C++ compiler for CXX but '${env.CXX}' does not run.`
        : 'Expected a C++ compiler (g++) but found none.',
    );
  const sources = nativeSources(root);
  if (sources.length === 0)
    throw new BuildError(`Expected C++ sources in ${join(root, 'native')} but found none.`);

  const folder = join(root, 'native', 'build', engineKey(libtorch));
  mkdirSync(folder, { recursive: true });
  const objects = sources.map((source) => describeObject({ root, folder, libtorch, compiler, source }));
  const stale = objects.filter((object) => force || !isUpToDate(root, object));
  await compileAll({ root, objects: stale, onProgress });

  const binary = join(folder, 'satin.node');
  const link = [
    ...compiler.command,
    '-shared',
    ...objects.map((object) => object.file),
    ...linkFlags(libtorch),
  ];
  const linkStamp = join(folder, 'link.json');
  const linkDigest = digest([
    ...link,
    ...objects.map((object) => object.settings),
    libtorchIdentity(libtorch),
  ]);
  if (stale.length > 0 || !existsSync(binary) || readJson(linkStamp)?.digest !== linkDigest) {
    // Linked beside its place and renamed: another process may have the old binary mapped.
    const fresh = `${binary}.${process.pid}`;
    const { status, output } = await run([...link, '-o', fresh], root);
    if (status !== 0) {
      rmSync(fresh, { force: true });
      throw new BuildError(`The linker refused: ${firstError(output)}`, output);
    }
    renameSync(fresh, binary);
    writeJson(linkStamp, { digest: linkDigest });
  }
  chooseEngine({ root, env, folder, binary, libtorch });
  return { binary, compiled: stale.length, libtorch };
}

/**
 * Whether the binary that `engine.json` names was built from the sources, the libtorch and the settings of
 * now. Looks at sizes and times only, so it takes about a millisecond; after a doubt `build` compares contents.
 * @param {{ root: string, env?: Record<string, string | undefined> }} options
 * @returns {boolean}
 */
export function isBuilt({ root, env = process.env }) {
  const engine = readJson(join(root, 'native', 'build', 'engine.json'));
  if (engine === null || !existsSync(join(root, engine.binary))) return false;
  try {
    return engine.stamp === stamp({ root, env, libtorch: engine.libtorch });
  } catch {
    return false; // libtorch is gone
  }
}

/** The C++ files of the binding, absolute, sorted. */
function nativeSources(root) {
  const folder = join(root, 'native');
  const names = readdirSync(folder).filter((name) => name.endsWith('.cc'));
  return names.sort().map((name) => join(folder, name));
}

/** Each libtorch has its own build folder, so that going back and forth between two compiles nothing. */
function engineKey(libtorch) {
  return `${libtorch.version.replace(/[^\w.+-]/g, '_')}-${digest([libtorch.folder, libtorch.lib]).slice(0, 8)}`;
}

/** Everything that decides whether an object file is right: the command, the compiler and libtorch. */
function describeObject({ root, folder, libtorch, compiler, source }) {
  const file = join(folder, `${relative(join(root, 'native'), source)}.o`);
  const command = [
    ...compiler.command,
    ...compileFlags({ root, libtorch, source }),
    '-c',
    source,
    '-o',
    file,
  ];
  const headers = readJson(join(root, 'node_modules', 'node-addon-api', 'package.json'))?.version;
  const around = isKernel(source) ? [] : [libtorchIdentity(libtorch), `node-addon-api ${headers}`];
  return {
    source,
    file,
    command: [...command, '-MMD', '-MF', `${file}.d`],
    settings: digest([...command, compiler.identity, ...around]),
  };
}

/** Whether an object file was made by this command from these contents of its source and of our headers. */
function isUpToDate(root, object) {
  const made = readJson(`${object.file}.json`);
  if (made === null || made.settings !== object.settings || !existsSync(object.file)) return false;
  return Object.entries(made.contents).every(([file, contents]) => {
    const path = join(root, file);
    return existsSync(path) && digest([readFileSync(path)]) === contents;
  });
}

/** Compiles several files at once, the slow ones first: files with torch's headers, then by size. */
async function compileAll({ root, objects, onProgress }) {
  const queue = [...objects].sort(
    (a, b) =>
      Number(isKernel(a.source)) - Number(isKernel(b.source)) ||
      statSync(b.source).size - statSync(a.source).size,
  );
  const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / BYTES_PER_JOB)));
  let done = 0;
  let failed = null;
  const work = async () => {
    for (let object = queue.shift(); object !== undefined && failed === null; object = queue.shift()) {
      const { status, output } = await run(object.command, root);
      const name = relative(root, object.source);
      if (status !== 0)
        failed ??= new BuildError(`The compiler refused ${name}: ${firstError(output)}`, output);
      else {
        writeJson(`${object.file}.json`, { settings: object.settings, contents: dependencies(root, object) });
        done += 1;
        onProgress(done, objects.length, name);
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  if (failed !== null) throw failed;
}

/** The digest of each of the project's own files that the object was made from, by its path in the project. */
function dependencies(root, object) {
  const rule = readFileSync(`${object.file}.d`, 'utf8').replace(/\\\n/g, ' ');
  const names = rule.slice(rule.indexOf(':') + 1).match(/(?:\\.|\S)+/g) ?? [];
  const files = names.map((name) => relative(root, name.replace(/\\(.)/g, '$1')));
  const own = files.filter((file) => file.startsWith('native'));
  return Object.fromEntries(own.map((file) => [file, digest([readFileSync(join(root, file))])]));
}

/** Writes `engine.json`: which binary, from which libtorch, and what it was made from. */
function chooseEngine({ root, env, folder, binary, libtorch }) {
  const engine = { binary: relative(root, binary), libtorch, stamp: stamp({ root, env, libtorch }) };
  writeJson(join(folder, 'engine.json'), engine);
  writeJson(join(root, 'native', 'build', 'engine.json'), engine);
}

/** Sizes and times of all that goes into a binary, and the variables that choose libtorch and the compiler. */
function stamp({ root, env, libtorch }) {
  const folder = join(root, 'native');
  const own = readdirSync(folder).filter((name) => /\.(cc|h|mjs)$/.test(name));
  const files = own.sort().map((name) => {
    const { size, mtimeMs } = statSync(join(folder, name));
    return `${name} ${size} ${mtimeMs}`;
  });
  return digest([env.LIBTORCH ?? '', env.CXX ?? '', libtorchIdentity(libtorch), ...files]);
}

/** Runs a command with its two outputs taken together. */
function run(command, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const parts = [];
    child.stdout.on('data', (data) => parts.push(data));
    child.stderr.on('data', (data) => parts.push(data));
    const output = () => `$ ${command.join(' ')}\n${Buffer.concat(parts).toString('utf8')}`;
    child.on('error', (error) => resolve({ status: 1, output: `${output()}${error.message}\n` }));
    child.on('close', (status, signal) =>
      resolve({ status: status ?? 1, output: signal ? `${output()}ended by ${signal}\n` : output() }),
    );
  });
}

/** The line of a compiler's output that says what is wrong. */
function firstError(output) {
  const lines = output
    .split('\n')
    .slice(1)
    .filter((line) => line.trim() !== '');
  return (
    lines.find((line) => /\b(fatal )?error\b|undefined reference|cannot find/.test(line)) ??
    lines.at(-1) ??
    'no output'
  ).trim();
}

/** A digest of strings and buffers, in order. */
function digest(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

/** The parsed file, or null where there is none or it is cut short. */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** Written beside its place and renamed, so that a reader never sees half a file. */
function writeJson(file, value) {
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const start = Date.now();
  const seconds = () => `${((Date.now() - start) / 1000).toFixed(0)} s`;
  try {
    const onProgress = (done, total, name) => console.error(`${done} of ${total}  ${name}  ${seconds()}`);
    const { binary, compiled, libtorch } = await build({
      root,
      onProgress,
      force: process.argv.includes('--force'),
    });
    const work = compiled === 0 ? 'up to date' : `${compiled} compiled in ${seconds()}`;
    console.error(
      `${relative(root, binary)}: ${work}, against libtorch ${libtorch.version} (${libtorch.kind})`,
    );
  } catch (error) {
    if (error.exitCode === undefined) throw error;
    if (error.output) console.error(error.output);
    console.error(error.message);
    process.exitCode = error.exitCode;
  }
}

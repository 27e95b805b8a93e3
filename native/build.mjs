/**
 * Compiles `native/*.cc` and links `native/build/<engine>/satin.node`; what is up to date is not done again.
 *
 *     node native/build.mjs                          for the libtorch that is found
 *     LIBTORCH=/opt/libtorch node native/build.mjs   for another: each has a build folder of its own
 *     SATIN_CUDA=1 node native/build.mjs             with the CUDA half, with or without a graphics card
 *
 * `native/build/engine.json` names the binary that was chosen last; `src/engine/native.ts` reads it.
 * Only Node's built-in modules and the npm package node-api-headers are used.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digest, fileIdentity, readJson, writeJson } from './build-stamp.mjs';
import { BuildError, compileObjects, firstError, isUpToDate, objectFiles, run } from './compile-objects.mjs';
import { findCompiler, linkFlags } from './compiler.mjs';
import { KERNELS } from './embed-kernels.mjs';
import { hasLibjpeg } from './find-libjpeg.mjs';
import { cudaIdentity, findLibtorch, libtorchIdentity, searchIdentity } from './find-libtorch.mjs';

/**
 * Builds what is not up to date and writes `engine.json`.
 * @param {{ root: string, env?: Record<string, string | undefined>,
 *   onProgress?: (done: number, total: number, name: string) => void }} options
 * @returns {Promise<{ binary: string, compiled: number, libtorch: import('./find-libtorch.mjs').Libtorch }>}
 * @throws {BuildError | import('./find-libtorch.mjs').LibtorchError | import('./find-cuda.mjs').CudaError |
 *   import('./compiler.mjs').CompilerError}
 */
export async function build({ root, env = process.env, onProgress = () => {} }) {
  // Taken before the compiler reads a file: what is edited during the build is compiled again next time.
  const sources = sourceIdentity(root);
  const libtorch = findLibtorch({ env });
  if (libtorch === null) throw new BuildError('Expected an installed libtorch but found none.');
  const compiler = findCompiler(env);
  if (compiler === null) throw new BuildError('Expected a C++ compiler (g++) but found none.');
  const folder = join(root, 'native', 'build', engineName(libtorch));
  mkdirSync(folder, { recursive: true });
  const objects = objectFiles({ root, folder, libtorch, compiler });
  if (objects.length === 0)
    throw new BuildError(`Expected C++ files in ${join(root, 'native')} but found none.`);
  const stale = objects.filter((object) => !isUpToDate(root, object));
  await compileObjects({ root, objects: stale, onProgress });

  const binary = join(folder, 'satin.node');
  await link({ root, binary, objects, libtorch, compiler, changed: stale.length > 0 });
  const stamp = engineStamp({ env, libtorch, sources });
  const engine = { binary: relative(root, binary), libtorch, stamp };
  writeJson(join(folder, 'engine.json'), engine);
  writeJson(join(root, 'native', 'build', 'engine.json'), engine);
  return { binary, compiled: stale.length, libtorch };
}

/**
 * Whether the binary that `engine.json` names was built from the sources, the libtorch and the settings of
 * now. Looks at sizes and times only, so it takes a millisecond; where they differ, `build` compares contents.
 * @param {{ root: string, env?: Record<string, string | undefined> }} options
 * @returns {boolean}
 */
export function isBuilt({ root, env = process.env }) {
  const engine = readJson(join(root, 'native', 'build', 'engine.json'));
  if (engine === null || !existsSync(join(root, engine.binary))) return false;
  try {
    return engine.stamp === engineStamp({ env, libtorch: engine.libtorch, sources: sourceIdentity(root) });
  } catch (error) {
    if (error.code === 'ENOENT') return false; // that libtorch is gone
    throw error;
  }
}

/**
 * Each libtorch has its own build folder, and another with CUDA, so that going back and forth between two compiles nothing.
 */
function engineName({ version, folder, lib, cuda }) {
  const half = cuda === null ? '' : '-cuda';
  return `${version.replace(/[^\w.+-]/g, '_')}-${digest([folder, lib]).slice(0, 8)}${half}`;
}

/** Links the binary where an object or the command changed. */
async function link({ root, binary, objects, libtorch, compiler, changed }) {
  const command = [
    ...compiler.command,
    '-shared',
    ...objects.map(({ file }) => file),
    ...linkFlags(libtorch),
  ];
  const madeFrom = digest([
    ...command,
    ...objects.map(({ settings }) => settings),
    libtorchIdentity(libtorch),
  ]);
  const stamp = `${binary}.json`;
  if (!changed && existsSync(binary) && readJson(stamp)?.madeFrom === madeFrom) return;
  // Linked beside its place and renamed: another process may have the old binary mapped.
  const fresh = `${binary}.${process.pid}`;
  const { status, output } = await run([...command, '-o', fresh], root);
  if (status !== 0) {
    rmSync(fresh, { force: true });
    throw new BuildError(`The linker refused: ${firstError(output)}`, output);
  }
  rmSync(stamp, { force: true });
  renameSync(fresh, binary);
  writeJson(stamp, { madeFrom });
}

/** Sizes and times of the sources and of the build's own files. */
function sourceIdentity(root) {
  const folders = [join(root, 'native'), join(root, 'native', KERNELS)].filter(existsSync);
  return folders.flatMap((folder) => {
    const own = readdirSync(folder).filter((name) => /\.(cc|cu|h|mjs)$/.test(name));
    return own.sort().map((name) => fileIdentity(join(folder, name)));
  });
}

/** All that decides which binary is the right one, cheap to look at. */
function engineStamp({ env, libtorch, sources }) {
  const found = [searchIdentity(env), String(hasLibjpeg()), env.CXX ?? ''];
  return digest([...found, libtorchIdentity(libtorch), cudaIdentity(libtorch, env), ...sources]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const start = Date.now();
  const seconds = () => `${((Date.now() - start) / 1000).toFixed(0)} s`;
  const onProgress = (done, total, name) => console.error(`${done} of ${total}  ${name}  ${seconds()}`);
  try {
    const { binary, compiled, libtorch } = await build({ root, onProgress });
    const work = compiled === 0 ? 'nothing to compile' : `${compiled} compiled in ${seconds()}`;
    const half = libtorch.cuda === null ? '' : ' with CUDA';
    console.error(
      `${relative(root, binary)}: ${work}, libtorch ${libtorch.version} (${libtorch.kind})${half}`,
    );
    if (libtorch.note !== null) console.error(libtorch.note);
  } catch (error) {
    if (error.exitCode === undefined) throw error;
    if (error.output) console.error(error.output);
    console.error(error.message);
    process.exitCode = error.exitCode;
  }
}

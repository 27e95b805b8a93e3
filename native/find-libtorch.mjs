/**
 * Finds libtorch and says how to compile against it. In this order: the folder that `LIBTORCH` names, the
 * system's (Debian's libtorch-dev), Homebrew's, the one inside an installed Python package `torch`.
 *
 * Nothing is loaded and no Python code of torch is run: everything is read from files. Only Node's built-in
 * modules are used, because this runs before `npm ci`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { findCuda } from './find-cuda.mjs';

/** The oldest libtorch that the binding compiles against. */
export const OLDEST = { major: 1, minor: 13 };

/** Folders in which the operating system keeps headers and libraries. */
export const SYSTEM_PREFIXES = ['/usr', '/usr/local'];

const LIBRARY = process.platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so';

/** `LIBTORCH` names something that is no usable libtorch (wrong input: exit code 2). */
export class LibtorchError extends Error {
  code = 'libtorch';
  exitCode = 2;
  name = 'LibtorchError';
}

/**
 * @typedef {object} Libtorch
 * @property {'LIBTORCH' | 'system' | 'homebrew' | 'wheel'} kind how it was found
 * @property {string} folder what holds `include` and `lib`
 * @property {string} version as it names itself, e.g. '2.13.0+cpu'
 * @property {number} major
 * @property {number} minor
 * @property {string[]} include header folders, absolute; CUDA's are in `cuda`
 * @property {string} lib the folder of the libraries, absolute
 * @property {number} cxxStandard 17 or 20: what its headers ask for
 * @property {0 | 1 | null} cxx11Abi the value of _GLIBCXX_USE_CXX11_ABI that it was built with, null: the compiler's own
 * @property {string[]} backends those between processes that can be compiled: 'gloo', 'nccl'
 * @property {import('./find-cuda.mjs').Cuda | null} cuda what the CUDA half is built with; null: for the CPU alone
 * @property {string | null} note what the user should know about it
 */

/**
 * The libtorch to build against, or null where there is none.
 * @param {{ env?: Record<string, string | undefined>, systemPrefixes?: string[], python?: () => string | null,
 *   hasDriver?: () => boolean, toolkits?: string[] }} [options] `python` answers with the folder of Python's package torch
 * @returns {Libtorch | null}
 * @throws {LibtorchError} where `LIBTORCH` is set and names no usable libtorch
 * @throws {import('./find-cuda.mjs').CudaError} where `SATIN_CUDA` asks for what cannot be built
 */
export function findLibtorch(options = {}) {
  const { env = process.env, hasDriver = hasNvidiaDriver, toolkits } = options;
  const found = findAnyLibtorch({ ...options, env });
  if (found === null) return null;
  const { cuda, note } = findCuda(found, { env, hasDriver, toolkits });
  return { ...found, backends: distributedBackends({ ...found, cuda }), cuda, note };
}

/** `findLibtorch` before anything is known about CUDA. */
function findAnyLibtorch({ env, systemPrefixes = SYSTEM_PREFIXES, python = pythonTorchFolder }) {
  if (env.LIBTORCH !== undefined && env.LIBTORCH !== '') return requestedLibtorch(env.LIBTORCH);
  for (const prefix of systemPrefixes) {
    const found = usable(inspectLibtorch(prefix, 'system'));
    if (found !== null) return found;
  }
  if (process.platform === 'darwin') {
    const prefix = homebrewPrefix();
    const found = prefix === null ? null : usable(inspectLibtorch(prefix, 'homebrew'));
    if (found !== null) return found;
  }
  const folder = python();
  return folder === null ? null : usable(inspectLibtorch(folder, 'wheel'));
}

/** The libtorch that the variable `LIBTORCH` names; a folder that holds none is wrong input, never passed over. */
function requestedLibtorch(value) {
  const folder = resolve(value);
  const found = inspectLibtorch(folder, 'LIBTORCH');
  const remedy =
    'Set LIBTORCH to an unpacked libtorch or to the folder of the Python package torch, or unset it to let Satin search.';
  const expected = `Expected a libtorch ${OLDEST.major}.${OLDEST.minor} or newer (headers in include/, ${LIBRARY} in lib/) for LIBTORCH`;
  if (!existsSync(folder)) throw new LibtorchError(`${expected} but '${folder}' does not exist. ${remedy}`);
  if (typeof found === 'string')
    throw new LibtorchError(`${expected} but received '${folder}', where ${found}. ${remedy}`);
  if (usable(found) === null)
    throw new LibtorchError(
      `${expected} but received '${folder}', which is version ${found.version}. ${remedy}`,
    );
  return found;
}

/** A description as it is where the version is supported, else null. */
function usable(found) {
  if (typeof found === 'string') return null;
  const { major, minor } = found;
  return major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor) ? found : null;
}

/**
 * Describes the libtorch in a folder, all but `backends`, `cuda` and `note`; or, as a clause of a sentence, what is missing.
 * @param {string} folder
 * @param {Libtorch['kind']} kind
 */
function inspectLibtorch(folder, kind) {
  const include = join(folder, 'include');
  const api = join(include, 'torch', 'csrc', 'api', 'include');
  const numbers = versionNumbers([
    join(include, 'torch', 'headeronly', 'version.h'),
    join(api, 'torch', 'version.h'),
  ]);
  if (numbers === null) return `${join(api, 'torch', 'version.h')} is missing`;
  const lib = libraryFolders(folder).find((candidate) => existsSync(join(candidate, LIBRARY)));
  if (lib === undefined) return `${join(folder, 'lib', LIBRARY)} is missing`;
  const settings = cmakeSettings([folder, lib]);
  return {
    kind,
    folder: realpathSync(folder),
    version: versionText(folder) ?? numbers.join('.'),
    major: numbers[0],
    minor: numbers[1],
    include: [include, api],
    lib,
    cxxStandard: Math.max(17, settings.cxxStandard),
    cxx11Abi: settings.cxx11Abi,
  };
}

/**
 * The backends between processes that libtorch was built with and whose headers are here. Gloo: Debian's libtorch is linked to
 * it, and libgloo-dev has the headers; PyTorch's wheels have it inside and ship none. NCCL is part of libtorch's CUDA half.
 */
function distributedBackends({ include, lib, cuda }) {
  const backends = [];
  if (existsSync(join(include[0], 'gloo', 'config.h')) && /\[libgloo\b/.test(neededBy(lib)))
    backends.push('gloo');
  if (cuda?.nccl) backends.push('nccl');
  return backends;
}

/** What libtorch's library says that it is linked to; nothing where it cannot be read. */
function neededBy(lib) {
  const listing = spawnSync('readelf', ['-d', join(lib, LIBRARY)], { encoding: 'utf8' });
  return listing.status === 0 ? listing.stdout : '';
}

/**
 * Whether a GPU of NVIDIA can be used here. Without one the CUDA half of libtorch is not linked: loading it
 * costs 0.2 s and 390 MB.
 */
export function hasNvidiaDriver() {
  return ['/dev/nvidiactl', '/proc/driver/nvidia/version', '/usr/lib/wsl/lib/libcuda.so.1'].some(existsSync);
}

/** The folders where a prefix keeps its libraries: lib, lib64 and Debian's lib/<machine>-linux-gnu. */
function libraryFolders(prefix) {
  const lib = join(prefix, 'lib');
  const machine = existsSync(lib) ? readdirSync(lib).filter((name) => name.endsWith('-linux-gnu')) : [];
  return [...machine.map((name) => join(lib, name)), lib, join(prefix, 'lib64')];
}

/** [major, minor, patch] from the first of these headers that defines them, or null. */
function versionNumbers(headers) {
  for (const header of headers) {
    if (!existsSync(header)) continue;
    const text = readFileSync(header, 'utf8');
    const numbers = ['MAJOR', 'MINOR', 'PATCH'].map(
      (part) => text.match(new RegExp(`TORCH_VERSION_${part} (\\d+)`))?.[1],
    );
    if (numbers.every((number) => number !== undefined)) return numbers.map(Number);
  }
  return null;
}

/** The full version that a wheel or an unpacked libtorch notes ('2.13.0+cpu'), or null. */
function versionText(folder) {
  const build = join(folder, 'build-version');
  if (existsSync(build)) return readFileSync(build, 'utf8').trim();
  const python = join(folder, 'version.py');
  if (!existsSync(python)) return null;
  return readFileSync(python, 'utf8').match(/__version__ = '([^']+)'/)?.[1] ?? null;
}

/** What libtorch's own CMake file tells those who link to it: the C++ standard and the ABI of std::string. */
function cmakeSettings(folders) {
  for (const folder of folders)
    for (const place of ['share/cmake/Torch', 'cmake/Torch']) {
      const file = join(folder, place, 'TorchConfig.cmake');
      if (!existsSync(file)) continue;
      const text = readFileSync(file, 'utf8');
      const abi = text.match(/_GLIBCXX_USE_CXX11_ABI=([01])/)?.[1];
      return {
        cxxStandard: Number(text.match(/CXX_STANDARD (\d+)/)?.[1] ?? 17),
        cxx11Abi: abi === undefined ? null : Number(abi),
      };
    }
  return { cxxStandard: 17, cxx11Abi: null };
}

/** Homebrew's prefix of PyTorch or libtorch, or null. Not run here: no macOS machine was at hand. */
function homebrewPrefix() {
  for (const formula of ['pytorch', 'libtorch']) {
    const answer = spawnSync('brew', ['--prefix', formula], { encoding: 'utf8' });
    const prefix = answer.status === 0 ? answer.stdout.trim() : '';
    if (prefix !== '' && existsSync(prefix)) return prefix;
  }
  return null;
}

/** The folder of the package torch of the Python on the PATH (an active venv comes first there), or null. */
export function pythonTorchFolder() {
  const program = 'import importlib.util as u; s = u.find_spec("torch"); print(s.origin if s else "")';
  for (const python of ['python3', 'python']) {
    const answer = spawnSync(python, ['-c', program], { encoding: 'utf8', timeout: 20_000 });
    const origin = answer.status === 0 ? answer.stdout.trim() : '';
    if (origin !== '') return dirname(origin);
  }
  return null;
}

/**
 * The OpenMP library that libtorch itself was linked to, where it brings its own: the binding must use the
 * same file, or two thread pools fight over the processors.
 * @param {Libtorch} libtorch
 * @returns {string | null} its path; null: the compiler's own is the right one
 */
export function bundledOpenMp(libtorch) {
  const needed = neededBy(libtorch.lib).match(/\[(lib(?:gomp|iomp5|omp)[^\]]*)\]/)?.[1];
  const bundles = [libtorch.lib, join(dirname(libtorch.folder), `${basename(libtorch.folder)}.libs`)];
  // A system's library needs no path, and its folder holds the compiler's own OpenMP library too.
  if (SYSTEM_PREFIXES.includes(libtorch.folder)) return null;
  for (const folder of bundles) {
    if (!existsSync(folder)) continue;
    const name = readdirSync(folder).find((file) =>
      needed === undefined ? /^lib(gomp|iomp5|omp)\b/.test(file) : file === needed,
    );
    if (name !== undefined) return join(folder, name);
  }
  return null;
}

/** Everything but the sources that decides which libtorch is found; cheap to look at. */
export function searchIdentity(env) {
  const headers = SYSTEM_PREFIXES.flatMap((prefix) =>
    [join('torch', 'csrc'), 'gloo'].map((folder) => join(prefix, 'include', folder)),
  );
  const names = ['LIBTORCH', 'VIRTUAL_ENV', 'CONDA_PREFIX', 'SATIN_CUDA', 'CUDA_HOME'];
  const variables = names.map((name) => `${name}=${env[name] ?? ''}`);
  return [...variables, ...headers.map(existsSync), hasNvidiaDriver()].join(' ');
}

/** What is found of CUDA for a libtorch now; packages come and go beside it. */
export function cudaIdentity(libtorch, env) {
  try {
    return JSON.stringify(findCuda(libtorch, { env, hasDriver: hasNvidiaDriver }));
  } catch (error) {
    if (error.code !== 'cuda') throw error;
    return error.message;
  }
}

/** Changes whenever another build of libtorch takes the place of this one. */
export function libtorchIdentity(libtorch) {
  const { size, mtimeMs } = statSync(join(libtorch.lib, LIBRARY));
  return `${libtorch.folder} ${libtorch.version} ${size} ${Math.round(mtimeMs)}`;
}

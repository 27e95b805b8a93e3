/** The C++ compiler and what it is told: one place for every compile and link flag of the binding. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasLibjpeg } from './find-libjpeg.mjs';
import { bundledOpenMp, SYSTEM_PREFIXES } from './find-libtorch.mjs';

const DARWIN = process.platform === 'darwin';

/** `CXX` names no compiler (wrong input: exit code 2). */
export class CompilerError extends Error {
  code = 'compiler';
  exitCode = 2;
  name = 'CompilerError';
}

/**
 * The compiler as a command line: `CXX`, else the first of g++, c++ and clang++ that answers.
 * @param {Record<string, string | undefined>} env
 * @returns {{ command: string[], identity: string } | null} null where there is none
 * @throws {CompilerError} where `CXX` is set and does not run
 */
export function findCompiler(env) {
  const chosen = env.CXX?.trim() ?? '';
  const candidates = chosen === '' ? [['g++'], ['c++'], ['clang++']] : [chosen.split(/\s+/)];
  for (const command of candidates) {
    const answer = spawnSync(command[0], [...command.slice(1), '--version'], { encoding: 'utf8' });
    if (answer.status === 0)
      return { command, identity: `${command.join(' ')} ${answer.stdout.split('\n')[0]}` };
  }
  if (chosen === '') return null;
  throw new CompilerError(
    `Expected a C++ compiler for CXX but received '${chosen}', which does not run. Unset CXX to let Satin search.`,
  );
}

/** Files named `*_kernel.cc` are plain loops without torch headers: fast to compile, and optimised hardest. */
export const isKernel = (source) => source.endsWith('_kernel.cc');

/**
 * Kernels that round like the operators they take the place of, on every processor: no product is added before it is rounded.
 */
const ROUND_AS_WRITTEN = [
  'bump_move_kernel.cc',
  'greedy_step_kernel.cc',
  'l1_projection_kernel.cc',
  'mixed_projections_kernel.cc',
  'momentum_step_kernel.cc',
  'sparse_direction_kernel.cc',
  'square_kernel.cc',
];

/** What talks between processes, by libtorch's c10d and by Gloo. */
const DISTRIBUTED = ['tcp_store.cc', 'process_group.cc', 'small_all_reduce.cc'];

/**
 * The flags that turn a source of `native/` into an object file.
 * @param {{ root: string, libtorch: import('./find-libtorch.mjs').Libtorch, source: string }} options
 * @returns {string[]}
 */
export function compileFlags({ root, libtorch, source }) {
  const flags = [
    `-std=c++${libtorch.cxxStandard}`,
    '-fPIC',
    '-fvisibility=hidden',
    '-Wall',
    ...(DARWIN ? ['-Xpreprocessor', '-fopenmp'] : ['-fopenmp']),
  ];
  // No -march: kernels carry a clone for each instruction set and choose when they run.
  if (isKernel(source)) {
    const rounding = ROUND_AS_WRITTEN.includes(basename(source)) ? ['-ffp-contract=off'] : [];
    return [...flags, '-O3', '-fno-math-errno', '-fno-trapping-math', ...rounding];
  }
  if (libtorch.cxx11Abi !== null) flags.push(`-D_GLIBCXX_USE_CXX11_ABI=${libtorch.cxx11Abi}`);
  return [
    ...flags,
    '-O2',
    '-DNAPI_VERSION=8',
    `-DSATIN_LIBTORCH_VERSION="${libtorch.version}"`,
    `-DSATIN_LIBTORCH_MAJOR=${libtorch.major}`,
    `-DSATIN_LIBTORCH_MINOR=${libtorch.minor}`,
    ...(libtorch.cuda === null ? [] : ['-DSATIN_CUDA']),
    ...(DISTRIBUTED.includes(basename(source)) ? distributedFlags(libtorch) : []),
    ...(basename(source) === 'jpeg.cc' && hasLibjpeg() ? ['-DSATIN_LIBJPEG'] : []),
    ...headerFolders(root, libtorch).flatMap((folder) => ['-isystem', folder]),
  ];
}

/** What libtorch's headers want to hear before they show what talks between processes. */
function distributedFlags({ backends }) {
  if (backends.length === 0) return [];
  return ['-DUSE_DISTRIBUTED', ...backends.map((backend) => `-DUSE_C10D_${backend.toUpperCase()}`)];
}

/** Foreign header folders; the compiler's own are left out, since naming them again breaks #include_next. */
function headerFolders(root, libtorch) {
  const own = SYSTEM_PREFIXES.map((prefix) => join(prefix, 'include'));
  return [
    join(nodeApiHeaders(root), 'include'),
    ...[...libtorch.include, ...(libtorch.cuda?.include ?? [])].filter((folder) => !own.includes(folder)),
  ];
}

/**
 * The flags that link the object files to `satin.node`.
 * @param {import('./find-libtorch.mjs').Libtorch} libtorch
 * @returns {string[]} what follows the object files on the command line
 */
export function linkFlags(libtorch) {
  const search = [`-L${libtorch.lib}`, `-Wl,-rpath,${libtorch.lib}`];
  // macOS: not run here.
  if (DARWIN) return ['-undefined', 'dynamic_lookup', ...search, '-ltorch_cpu', '-lc10', '-lomp'];
  const openMp = bundledOpenMp(libtorch);
  return [
    // RPATH and not RUNPATH: an LD_LIBRARY_PATH that holds another torch must not be mixed in.
    '-Wl,--disable-new-dtags',
    ...(SYSTEM_PREFIXES.includes(libtorch.folder) ? [] : search),
    ...cudaLinkFlags(libtorch),
    '-Wl,--as-needed',
    '-ltorch_cpu',
    '-lc10',
    openMp ?? '-lgomp',
    ...(libtorch.backends.includes('gloo') ? ['-lgloo'] : []),
    ...(hasLibjpeg() ? ['-ljpeg'] : []),
  ];
}

/**
 * Nothing refers to libtorch's CUDA half by name: it registers itself when it is loaded. Its libraries, and the kernels'
 * compiler, are found in the folders of the Python packages; the driver's is looked for at run time, so that the binding
 * loads where there is none.
 */
function cudaLinkFlags({ cuda }) {
  if (cuda === null) return [];
  const search = cuda.lib.map((folder) => `-Wl,-rpath,${folder}`);
  return [...search, '-Wl,--no-as-needed', '-ltorch_cuda', '-lc10_cuda'];
}

/** The folder of the package node-api-headers: npm puts it beside Satin where Satin is another project's dependency. */
export function nodeApiHeaders(root) {
  const own = join(root, 'node_modules', 'node-api-headers');
  const beside = join(dirname(root), 'node-api-headers');
  return !existsSync(own) && existsSync(beside) ? beside : own;
}

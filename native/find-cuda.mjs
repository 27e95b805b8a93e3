/**
 * Finds what the CUDA half of the binding is compiled and linked with: the headers of CUDA and of NCCL, which a libtorch
 * does not bring, and the folders of their libraries. Neither a graphics card, nor its driver, nor nvcc is needed for that.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** `SATIN_CUDA` asks for what cannot be built, or is no answer (wrong input: exit code 2). */
export class CudaError extends Error {
  code = 'cuda';
  exitCode = 2;
  name = 'CudaError';
}

/**
 * @typedef {object} Cuda
 * @property {string[]} include folders of headers, absolute
 * @property {string[]} lib folders of libraries that libtorch's CUDA half and the kernels' compiler are loaded from
 * @property {boolean} nccl whether NCCL's header is among them
 */

/** A header of each package that libtorch's own CUDA headers include, and what PyPI calls the package. */
const HEADERS = [
  ['cuda_runtime_api.h', () => 'nvidia-cuda-runtime'],
  ['crt/host_defines.h', (major) => (major >= 13 ? 'nvidia-cuda-crt' : 'nvidia-cuda-nvcc')],
  ['nv/target', () => 'nvidia-cuda-cccl'],
  ['cublas_v2.h', () => 'nvidia-cublas'],
  ['cusparse.h', () => 'nvidia-cusparse'],
  ['cusolverDn.h', () => 'nvidia-cusolver'],
];

/** Where a CUDA toolkit lies that is not part of a Python environment. */
const TOOLKITS = ['/usr/local/cuda', '/usr'];

/**
 * Whether to build the CUDA half, and with what. `SATIN_CUDA` unset: if libtorch has one, the machine has NVIDIA's driver,
 * and the headers are found. 1: always. 0: never.
 * @param {{ folder: string, lib: string, version: string }} libtorch
 * @param {{ env: Record<string, string | undefined>, hasDriver: () => boolean, toolkits?: string[] }} options
 * @returns {{ cuda: Cuda | null, note: string | null }} `note`: why there is none, if the machine has a card for it
 * @throws {CudaError} for SATIN_CUDA=1 where it cannot be built
 */
export function findCuda(libtorch, { env, hasDriver, toolkits = TOOLKITS }) {
  const wanted = env.SATIN_CUDA ?? '';
  if (!['', '0', '1'].includes(wanted))
    throw new CudaError(
      `Expected 0 or 1 for SATIN_CUDA but received '${wanted}'. Set 1 to build for CUDA, 0 for the CPU alone, or unset it to build for what the machine has.`,
    );
  const none = { cuda: null, note: null };
  if (wanted === '0') return none;
  if (!existsSync(join(libtorch.lib, 'libtorch_cuda.so'))) {
    if (wanted === '') return none;
    throw new CudaError(
      `Expected a libtorch with CUDA for SATIN_CUDA=1 but ${libtorch.lib} has no libtorch_cuda.so. Set LIBTORCH to one built with CUDA, or unset SATIN_CUDA.`,
    );
  }
  if (wanted === '' && !hasDriver()) return none;
  const found = searchHeaders(libtorch, [env.CUDA_HOME ?? '', ...toolkits]);
  if (found.missing.length === 0) return { cuda: found.cuda, note: null };
  const remedy = `pip install ${found.missing.map(({ name }) => packageName(name, libtorch.version)).join(' ')}`;
  const lacks = `${found.missing.map(({ header }) => header).join(', ')} in none of ${found.searched.join(', ')}`;
  if (wanted === '1')
    throw new CudaError(
      `Expected CUDA's headers for SATIN_CUDA=1 but found ${lacks}. Run '${remedy}' in the environment of torch, set CUDA_HOME to a CUDA toolkit, or unset SATIN_CUDA.`,
    );
  return {
    cuda: null,
    note: `Built for the CPU alone, although this machine has NVIDIA's driver: found ${lacks}. For CUDA run '${remedy}' in the environment of torch, or set CUDA_HOME to a CUDA toolkit.`,
  };
}

/** The folders that have the headers, those of the Python packages beside torch first. */
function searchHeaders(libtorch, toolkits) {
  const packages = join(dirname(libtorch.folder), 'nvidia');
  const parts = existsSync(packages) ? readdirSync(packages).map((name) => join(packages, name)) : [];
  const prefixes = [...parts, ...toolkits.filter((prefix) => prefix !== '')];
  // CUDA 13 has part of its headers one folder deeper.
  const places = prefixes.flatMap((prefix) =>
    ['include', 'include/cccl'].map((folder) => ({ prefix, folder: join(prefix, folder) })),
  );
  const holding = (header) => places.find(({ folder }) => existsSync(join(folder, header)));
  const nccl = holding('nccl.h');
  const used = [...HEADERS.map(([header]) => holding(header)), nccl].filter((place) => place !== undefined);
  const withLibraries = [...parts, ...used.map(({ prefix }) => prefix).filter((prefix) => prefix !== '/usr')];
  const libraries = withLibraries.flatMap((prefix) => [join(prefix, 'lib'), join(prefix, 'lib64')]);
  return {
    missing: HEADERS.filter(([header]) => holding(header) === undefined).map(([header, name]) => ({
      header,
      name,
    })),
    searched: [join(packages, '*'), ...prefixes.slice(parts.length)].map((prefix) => join(prefix, 'include')),
    cuda: {
      include: [...new Set(used.map(({ folder }) => folder))],
      lib: [...new Set(libraries)].filter(existsSync),
      nccl: nccl !== undefined,
    },
  };
}

/** PyPI's name of a package for the CUDA of a libtorch ('2.13.0+cu130' has 13.0); that of the newest where it does not say. */
function packageName(name, version) {
  const [, major, minor] = version.match(/\+cu(\d+)(\d)$/) ?? [];
  if (major === undefined) return name(13);
  const base = Number(major) >= 13 ? name(13) : `${name(Number(major))}-cu${major}`;
  // Packages of CUDA itself have its version; libraries have their own.
  return base.startsWith('nvidia-cuda-') ? `'${base}==${major}.${minor}.*'` : base;
}

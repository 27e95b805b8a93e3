import { existsSync } from 'node:fs';
import { type DataName, dataNames } from '../data/dataset-names.js';
import { keptSets } from '../data/image-cache.js';
import { imageCachePlace } from '../data/image-cache-place.js';
import { findDataset } from '../data/load-dataset.js';
import { availableBackends } from '../distributed/collectives.js';
import { cards } from '../engine/device.js';
import { type EngineInfo, engineInfo, parallelWidth } from '../engine/engine-info.js';
import { matmul } from '../tensor/functional.js';
import { noise } from '../tensor/noise.js';
import { jpegDecoder } from '../tensor/resample.js';
import { scope } from '../tensor/scope.js';

/** One line of the doctor's report. */
export interface Finding {
  readonly name: string;
  readonly value: string;
  /** What to do if something is wrong. */
  readonly advice?: string;
}

/** Matrix products slower than this per thread indicate a BLAS without vector kernels. */
const slowGemm = 8; // GFLOP/s

/** Reports the engine, its speed and the data sets found; changes nothing. */
export async function examine(): Promise<Finding[]> {
  const engine = engineInfo();
  const width = parallelWidth();
  const speed = gemmSpeed();
  return [
    { name: 'libtorch', value: `${engine.libtorch} (${engine.source})` },
    devices(engine),
    { name: 'instruction set', value: engine.capability },
    { name: 'oneDNN', value: engine.oneDnn ? 'yes' : 'no' },
    { name: 'MKL', value: engine.mkl ? 'yes' : 'no' },
    betweenProcesses(),
    photographs(),
    keptImages(),
    {
      name: 'threads',
      value: `${engine.threads}, of which Satin's kernels use ${width}`,
      ...(width < engine.threads
        ? { advice: 'The binding was compiled without OpenMP: run npm run setup with g++ installed.' }
        : {}),
    },
    {
      name: 'matrix product',
      value: `${speed.toFixed(0)} GFLOP/s`,
      ...(speed < slowGemm * engine.threads ? { advice: 'That is slow: install libopenblas0-pthread.' } : {}),
    },
    ...(await Promise.all(dataNames.filter((name) => name !== 'folder').map(dataFinding))),
  ];
}

/** The devices that networks can run on. */
function devices({ cuda }: EngineInfo): Finding {
  const names = cards().map(
    ({ name, capability, memory }, index) =>
      `cuda:${index} (${name}, ${(memory / 2 ** 30).toFixed(0)} GiB, compute capability ${capability})`,
  );
  const value = ['cpu', ...names].join(', ');
  if (names.length > 0 || !hasDriver()) return { name: 'devices', value };
  const advice = cuda
    ? 'NVIDIA’s driver is here, but libtorch finds no card that it can use.'
    : 'A graphics card is here, but this engine has no CUDA: install a libtorch with CUDA (docs/setup.md).';
  return { name: 'devices', value, advice };
}

/** Whether NVIDIA's driver is installed. */
function hasDriver(): boolean {
  return existsSync('/proc/driver/nvidia/version');
}

/** Which backends for distributed training are available: docs/cluster.md. */
function betweenProcesses(): Finding {
  const backends = availableBackends();
  const names = { gloo: 'Gloo (cpu)', nccl: 'NCCL (cuda)' } as const;
  if (backends.length > 0)
    return { name: 'processes', value: backends.map((backend) => names[backend]).join(', ') };
  const advice =
    "Only to train with several: install Debian's libtorch-dev and libgloo-dev, then run npm run setup. " +
    "PyTorch's wheels ship no header of Gloo.";
  return { name: 'processes', value: 'single process only: neither Gloo nor NCCL is available', advice };
}

/** Which library decodes JPEG files. */
function photographs(): Finding {
  const version = jpegDecoder();
  if (version !== null) return { name: 'photographs', value: `libjpeg-turbo ${version}` };
  const advice = 'Only to train on ImageNet faster: install libjpeg-dev, then run npm run setup.';
  return { name: 'photographs', value: 'sharp', advice };
}

/** Where images of folders are kept once they are decoded: docs/data.md. */
function keptImages(): Finding {
  const name = 'decoded images';
  const place = imageCachePlace();
  if (place === null) return { name, value: 'not kept: SATIN_IMAGE_CACHE is off' };
  const sets = keptSets(place);
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  const total = sets.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    name,
    value: `${gigabytes(total)} of at most ${gigabytes(place.limit)} GB in ${place.folder}`,
    ...(sets.length > 0 && { advice: 'They can be deleted at any time; SATIN_IMAGE_CACHE=off keeps none.' }),
  };
}

/** GFLOP/s of a product of two 1024 x 1024 matrices; the best of five runs. */
function gemmSpeed(): number {
  const size = 1024;
  return scope(() => {
    const [a, b] = [0, 1].map((seed) =>
      noise('uniform', { key: { seed, stream: 'bench' }, ids: [0], shape: [size, size] }).reshape([
        size,
        size,
      ]),
    );
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 5; run++) {
      const began = performance.now();
      matmul(a!, b!).dispose();
      best = Math.min(best, performance.now() - began);
    }
    return (2 * size ** 3) / best / 1e6;
  });
}

async function dataFinding(name: DataName): Promise<Finding> {
  if (name === 'imagenet' || name === 'folder')
    return { name, value: 'never downloaded; data.dir of a recipe says where it is' };
  return { name, value: (await findDataset(name)) ?? 'not found; downloaded when needed' };
}

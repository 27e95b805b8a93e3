import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { folderImages } from '../src/data/imagenet/class-folders.js';
import { ImageStream, usualWorkers } from '../src/data/imagenet/stream.js';
import { medianInterval } from './pairs.js';
import { Worker } from './rival.js';
import type { BenchOptions, BenchRow } from './row.js';

const batch = 32;
const images = 640;

/** torchvision's data loader, as a long-lived worker. */
class Loader extends Worker {
  async setUp(folder: string, workers: number): Promise<void> {
    await this.ask(
      `setup ${JSON.stringify({ folder, batch, workers, images })}`,
      z.object({ ready: z.literal(true) }),
    );
  }

  async run(): Promise<number> {
    return (await this.ask('run 1', z.object({ seconds: z.number() }))).seconds;
  }
}

/**
 * Throughput from JPEG files to batches of float pixels: RandomResizedCrop to 224, horizontal flip, bilinear, on all
 * processors, compared with torchvision's data loader (Pillow) with one worker per processor.
 */
export async function imagenetPipeline({
  python,
  pairs,
  only,
  note,
  onProgress,
  photos,
}: BenchOptions): Promise<BenchRow[]> {
  const name = 'imagenet-pipeline/224/bilinear';
  if (!only(name) || photos === null) return [];
  const processors = availableParallelism();
  const query = spawnSync(
    python,
    ['-c', 'import PIL, torchvision; print(torchvision.__version__, PIL.__version__)'],
    {
      encoding: 'utf8',
    },
  );
  const versions = query.status === 0 ? query.stdout.trim().split(' ') : null;
  if (versions === null)
    note(`${python} has no torchvision; measuring Satin only. Choose another Python with --python.`);
  using loader = versions && new Loader(python, 'imagenet_pipeline.py');
  await loader?.setUp(photos, processors);

  const encoded = await folderImages(photos, { name: 'imagenet:train' });
  const count = encoded.labels.length;
  const stream = new ImageStream({
    images: encoded,
    indices: Uint32Array.from({ length: images }, (_, index) => index % count),
    size: 224,
    filter: 'bilinear',
    decoding: 'exact',
    augment: {
      scale: [0.08, 1],
      ratio: [3 / 4, 4 / 3],
      flip: true,
      brightness: 0,
      contrast: 0,
      saturation: 0,
      lighting: 0,
      colours: 'continuous',
    },
    shuffleBuffer: null,
    workers: usualWorkers(1),
    ahead: true, // as with the network on a GPU
    mostBroken: 0,
    device: 'cpu',
  });
  const run = async (pass: number) => {
    const began = performance.now();
    for (let first = 0; first < images; first += batch) {
      const taken = await stream.take({ seed: 0, pass, first, size: batch, stride: batch });
      taken.batch(0, batch).x.dispose();
    }
    return (performance.now() - began) / 1000;
  };
  await run(1);
  const turns: { satin: number; peer: number | null }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    onProgress({ label: name, done: pair, total: pairs });
    turns.push({ satin: await run(pair + 2), peer: (await loader?.run()) ?? null });
  }
  const speed = (seconds: readonly number[]) =>
    medianInterval(seconds.map((each) => images / each / processors)).median;
  const peers = turns.flatMap(({ peer }) => (peer === null ? [] : [peer]));
  const ratio =
    peers.length === 0
      ? null
      : medianInterval(turns.flatMap(({ satin, peer }) => (peer === null ? [] : [peer / satin])));
  return [
    {
      name,
      unit: 'img/s a core',
      satin: speed(turns.map(({ satin }) => satin)),
      peer: ratio === null ? null : speed(peers),
      peerName: versions && `torchvision ${versions[0]}, Pillow ${versions[1]}`,
      ratio: ratio?.median ?? null,
      interval: ratio?.interval ?? null,
      runs: pairs,
    },
  ];
}

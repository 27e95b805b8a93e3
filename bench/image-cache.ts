import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeCached } from '../src/data/decode-cached.js';
import { listImages } from '../src/data/image-folder-layout.js';
import { medianInterval } from './pairs.js';
import type { BenchOptions, BenchRow } from './row.js';

/** Height and width that images are brought to. */
const size = 64;

/** How fast a folder of images is loaded that was decoded before, compared with decoding it anew, in alternating turns. */
export async function imageCache({ pairs, only, note, photos }: BenchOptions): Promise<BenchRow[]> {
  const name = `image-cache/${size}`;
  if (!only(name) || photos === null) return [];
  const { images } = await listImages(photos);
  const files = images.map(({ file }) => file);
  const options = { files, form: { size: [size, size] as const } };
  const folder = mkdtempSync(join(tmpdir(), 'satin-image-cache-'));
  const place = { folder, limit: Number.POSITIVE_INFINITY };
  const run = async (from: typeof place | null) => {
    const began = performance.now();
    await decodeCached(options, { place: from, worthSeconds: 0, settledSeconds: 0 });
    return (performance.now() - began) / 1000;
  };
  try {
    await run(place); // keeps them
    const turns: { readonly kept: number; readonly decoded: number }[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      note(`${name}: pair ${pair + 1} of ${pairs}`);
      turns.push({ kept: await run(place), decoded: await run(null) });
    }
    const speed = (seconds: readonly number[]) =>
      medianInterval(seconds.map((each) => files.length / each)).median;
    const ratio = medianInterval(turns.map(({ kept, decoded }) => decoded / kept));
    return [
      {
        name,
        unit: 'img/s',
        satin: speed(turns.map(({ kept }) => kept)),
        peer: speed(turns.map(({ decoded }) => decoded)),
        peerName: 'decoded anew',
        ratio: ratio.median,
        interval: ratio.interval,
        runs: pairs,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

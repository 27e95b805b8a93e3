import { availableParallelism } from 'node:os';
import { RunError } from '../../errors.js';
import { integers, tensor } from '../../tensor/create.js';
import { noise } from '../../tensor/noise.js';
import type { Filter } from '../../tensor/resample.js';
import { scope } from '../../tensor/scope.js';
import { type BatchRange, type BatchSource, type FetchedImages, nextBatchRange } from '../batch-source.js';
import { countOf } from '../dataset-error.js';
import { toPixels } from '../dataset-tensors.js';
import { BrokenImage } from '../raw-image.js';
import { type ColourOptions, colourDraws } from './colour-draws.js';
import { jitterColours } from './colour-jitter.js';
import { type RandomCrop, randomView, viewDraws } from './crop.js';
import { decodeView } from './decode.js';
import type { EncodedImages } from './encoded-images.js';
import { orderOf } from './shuffle.js';
import { tensorpackColours } from './tensorpack-colours.js';

export interface StreamOptions {
  readonly images: EncodedImages;
  /** The indices to train on, ascending. */
  readonly indices: Uint32Array;
  /** Height and width of the network's input. */
  readonly size: number;
  readonly filter: Filter;
  readonly decoding: 'exact' | 'fast';
  readonly augment: RandomCrop &
    ColourOptions & {
      readonly flip: boolean;
      /** How colours are changed: in real numbers (`jitterColours`), or as tensorpack does (`tensorpackColours`). */
      readonly colours: 'continuous' | 'tensorpack';
    };
  /** Size of the shuffle buffer for shards in images; null for all. */
  readonly shuffleBuffer: number | null;
  /** Number of images read and decoded concurrently. */
  readonly workers: number;
  /** Whether the next range is prefetched during a step: not if both would compete for the same processors. */
  readonly ahead: boolean;
  /** Number of broken images tolerated before the run stops. */
  readonly mostBroken: number;
  readonly device: string;
}

/** A range that is decoded or being decoded. */
interface Decoded {
  readonly key: string;
  readonly bytes: Uint8Array; // [size, 3, H, W]
  readonly ids: Uint32Array; // [size]
  readonly draws: Float64Array; // [size, perImage]
  readonly warnings: string[];
  /** The ids that they are about. */
  readonly broken: number[];
  done: Promise<void>;
}

/** Default number of workers: three per processor of a process, since most of them wait for files. */
export function usualWorkers(sharing: number): number {
  return 3 * Math.max(1, Math.floor(availableParallelism() / sharing));
}

const perImage = viewDraws + colourDraws;

/**
 * Training images that are decoded on demand. Crop, flip and colour jitter of an image are determined by seed, pass and id,
 * independent of the number of workers and ranks and of the position in the run. A broken image is replaced by the one half
 * a pass later.
 */
export class ImageStream implements BatchSource {
  readonly #broken = new Set<number>();
  #order: Uint32Array = new Uint32Array();
  #ordered = '';
  #current: Decoded | null = null;
  #next: Decoded | null = null;

  constructor(readonly options: StreamOptions) {}

  get count(): number {
    return this.options.indices.length;
  }

  async take(range: BatchRange): Promise<FetchedImages> {
    const key = JSON.stringify(range);
    // Free adversarial training replays a range several times.
    if (this.#current?.key !== key) {
      this.#current = this.#next?.key === key ? this.#next : this.#decode(range, key);
      this.#next = null;
    }
    const taken = this.#current;
    await taken.done;
    if (this.options.ahead && this.#next === null) {
      const following = nextBatchRange(range, this.count);
      this.#next = this.#decode(following, JSON.stringify(following));
      // Errors are reported when the range is taken.
      this.#next.done.catch(() => {});
    }
    const { size, device, augment } = this.options;
    const area = 3 * size * size;
    const labelsOf = (ids: readonly number[]) => ids.map((id) => this.options.images.labels[id]!);
    return {
      warnings: taken.warnings.splice(0),
      broken: taken.broken.splice(0),
      labels: () => labelsOf([...taken.ids]),
      batch: (from, count) =>
        scope(() => {
          const bytes = taken.bytes.subarray(from * area, (from + count) * area);
          const ids = taken.ids.subarray(from, from + count);
          const x = tensor(bytes, [count, 3, size, size], device);
          const draws = Array.from(ids, (_, at) => this.#drawsOf(taken, from + at).subarray(viewDraws));
          return {
            x:
              augment.colours === 'tensorpack'
                ? toPixels(tensorpackColours(x, augment, draws))
                : jitterColours(toPixels(x), augment, draws),
            labels: integers(labelsOf([...ids]), device),
            ids: [...ids],
          };
        }),
    };
  }

  skip(broken: readonly number[]): void {
    for (const id of broken) this.#broken.add(id);
  }

  #drawsOf({ draws }: Decoded, at: number): Float64Array {
    return draws.subarray(at * perImage, (at + 1) * perImage);
  }

  #decode(range: BatchRange, key: string): Decoded {
    const { size: count, seed, pass, first } = range;
    const order = this.#orderOf(seed, pass);
    const ids = order.slice(first, first + count);
    const decoded: Decoded = {
      key,
      bytes: new Uint8Array(count * 3 * this.options.size ** 2),
      ids,
      draws: drawsOf(ids, range),
      warnings: [],
      broken: [],
      done: Promise.resolve(),
    };
    let next = 0;
    const work = async () => {
      while (next < count) {
        const at = next++;
        await this.#decodeAt(decoded, at, { order, range });
      }
    };
    const workers = Array.from({ length: Math.min(this.options.workers, count) }, work);
    decoded.done = Promise.all(workers).then(() => {});
    return decoded;
  }

  async #decodeAt(
    decoded: Decoded,
    at: number,
    { order, range }: { readonly order: Uint32Array; readonly range: BatchRange },
  ): Promise<void> {
    const index = range.first + at;
    if (await this.#decodeInto(decoded, at)) return;
    for (let further = 0; further < order.length; further++) {
      const instead = order[(index + Math.floor(order.length / 2) + further) % order.length]!;
      if (this.#broken.has(instead)) continue;
      decoded.ids[at] = instead;
      decoded.draws.set(drawsOf([instead], range), at * perImage);
      if (await this.#decodeInto(decoded, at)) return;
    }
    throw new RunError('broken-images', `No image of ${this.options.images.name} can be decoded.`);
  }

  /** Whether the image was decoded; broken images are counted. @throws {RunError} if there are too many. */
  async #decodeInto(decoded: Decoded, at: number): Promise<boolean> {
    const { images, size, filter, decoding, augment, mostBroken } = this.options;
    const id = decoded.ids[at]!;
    if (this.#broken.has(id)) return false;
    const encoded = await images.read(id);
    const draws = this.#drawsOf(decoded, at);
    try {
      await decodeView(encoded, {
        viewOf: (original) => randomView(original, { ...augment, size, draws }),
        filter,
        decoding,
        target: decoded.bytes,
        offset: at * 3 * size * size,
      });
      return true;
    } catch (error) {
      if (!(error instanceof BrokenImage)) throw error;
      if (!this.#broken.has(id)) {
        this.#broken.add(id);
        decoded.broken.push(id);
        const so = `${images.nameOf(id)} cannot be decoded (${error.message})`;
        if (this.#broken.size > mostBroken)
          throw new RunError(
            'broken-images',
            `Expected at most ${countOf(mostBroken, 'broken image')} in ${images.name} but received one more: ${so}. Replace the files that events.jsonl names, or raise data.mostBroken.`,
          );
        decoded.warnings.push(
          `Skipped ${so}. That is the ${ordinal(this.#broken.size)} of at most ${mostBroken}; another image takes its place.`,
        );
      }
      return false;
    }
  }

  #orderOf(seed: number, pass: number): Uint32Array {
    const { indices, images, shuffleBuffer } = this.options;
    const ordered = `${seed} ${pass}`;
    if (ordered !== this.#ordered)
      this.#order = orderOf({ seed, pass, indices, shards: images.shards, buffer: shuffleBuffer });
    this.#ordered = ordered;
    return this.#order;
  }
}

/** [ids.length, perImage] */
function drawsOf(ids: ArrayLike<number>, { seed, pass }: BatchRange): Float64Array {
  using draws = noise('uniform', {
    key: { seed, stream: 'augmentation', epoch: pass },
    ids,
    shape: [perImage],
    dtype: 'float64',
  });
  return draws.numbers();
}

function ordinal(count: number): string {
  const suffix = { 1: 'st', 2: 'nd', 3: 'rd' }[count % 100 > 10 && count % 100 < 14 ? 0 : count % 10] ?? 'th';
  return `${count}${suffix}`;
}

/** The stream of ImageNet: order, resuming, ranks and broken images, on small images that are made here. */
import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { decodePlaces, openSplit } from '../../../src/data/imagenet/splits.js';
import { ImageStream, type StreamOptions } from '../../../src/data/imagenet/stream.js';
import { RunError } from '../../../src/errors.js';
import { folder, makeFolder, perClass, refused, shards, split } from '../../support/small-imagenet.js';

const off = { brightness: 0, contrast: 0, saturation: 0, lighting: 0, colours: 'continuous' } as const;

async function streamOf(dir: string, options: Partial<StreamOptions> = {}): Promise<ImageStream> {
  const { images, indices } = await openSplit({ ...split, dir });
  return new ImageStream({
    images,
    indices,
    size: 16,
    filter: 'bilinear',
    decoding: 'exact',
    augment: { scale: [0.2, 1], ratio: [0.75, 4 / 3], flip: true, ...off, brightness: 0.4, lighting: 0.1 },
    shuffleBuffer: null,
    workers: 2,
    ahead: false,
    mostBroken: 2,
    device: 'cpu',
    ...options,
  });
}

async function take(stream: ImageStream, first: number, size: number, stride = size, pass = 1) {
  const taken = await stream.take({ seed: 3, pass, first, size, stride });
  const { x, labels, ids } = taken.batch(0, size);
  assert.deepEqual(taken.labels(), [...labels.numbers()]);
  const { warnings, broken } = taken;
  return { x: [...x.numbers()], labels: [...labels.numbers()], ids: [...ids], warnings, broken };
}

describe('the stream', () => {
  it('gives the same to the bit from any step, with any number of workers, ahead or not, from either layout', async () => {
    const whole = await streamOf(folder);
    const straight = [await take(whole, 0, 6), await take(whole, 6, 6), await take(whole, 12, 6)];
    assert.equal(new Set(straight.flatMap(({ ids }) => ids)).size, 18);
    assert.deepEqual(
      straight.map(({ ids, labels }) => labels.join() === ids.map((id) => Math.floor(id / perClass)).join()),
      [true, true, true],
    );
    for (const options of [{ workers: 1 }, { workers: 7, ahead: true }])
      assert.deepEqual(await take(await streamOf(folder, options), 12, 6), straight[2]);
    const ahead = await streamOf(folder, { ahead: true });
    assert.deepEqual([await take(ahead, 0, 6), await take(ahead, 6, 6)], straight.slice(0, 2));
    assert.deepEqual(await take(await streamOf(shards), 6, 6), straight[1]);
    assert.deepEqual(await take(whole, 12, 6), straight[2], 'taken twice');
  });

  it('changes colours as tensorpack does where it is told to: to whole bytes', async () => {
    const augment = { scale: [0.2, 1], ratio: [0.75, 4 / 3], flip: true, ...off, contrast: 0.4 } as const;
    const bytesOf = async (colours: 'continuous' | 'tensorpack', contrast = 0.4) => {
      const stream = await streamOf(folder, { augment: { ...augment, contrast, colours } });
      return (await take(stream, 0, 6)).x.map((value) => value * 255);
    };
    const isWhole = (value: number) => Math.abs(value - Math.round(value)) < 1e-4;
    const [changed, other, plain] = [
      await bytesOf('tensorpack'),
      await bytesOf('continuous'),
      await bytesOf('continuous', 0),
    ];
    assert.ok(changed.every(isWhole) && plain.every(isWhole) && !other.every(isWhole));
    assert.notDeepEqual(changed, plain);
  });

  it('gives two ranks what one takes', async () => {
    const one = await take(await streamOf(folder), 6, 6);
    const [low, high] = [
      await take(await streamOf(folder), 6, 3, 6),
      await take(await streamOf(folder), 9, 3, 6),
    ];
    assert.deepEqual([...low.ids, ...high.ids], one.ids);
    assert.deepEqual([...low.x, ...high.x], one.x);
  });

  it('takes another order and other crops in the next pass', async () => {
    const stream = await streamOf(folder);
    const [first, second] = [await take(stream, 0, 18), await take(stream, 0, 18, 18, 2)];
    assert.notDeepEqual(first.ids, second.ids);
    assert.deepEqual([...first.ids].sort(), [...second.ids].sort());
    const area = 3 * 16 * 16;
    const of = ({ x, ids }: typeof first, id: number) =>
      x.slice(ids.indexOf(id) * area, (ids.indexOf(id) + 1) * area);
    assert.notDeepEqual(of(first, 5), of(second, 5));
  });

  it('puts another image in the place of a broken one, always the same, names it, and stops past the limit', async () => {
    const dir = await makeFolder();
    const file = (at: number) => join(dir, 'train', 'n02', `n02_${at}.JPEG`);
    truncateSync(file(2), 300);
    const clean = await take(await streamOf(folder), 0, 18);
    const found = await take(await streamOf(dir), 0, 18);
    const at = clean.ids.indexOf(8);
    assert.equal(found.ids[at], clean.ids[(at + 9) % 18]);
    assert.deepEqual(
      found.ids.filter((_, each) => each !== at),
      clean.ids.filter((_, each) => each !== at),
    );
    assert.equal(found.warnings.length, 1);
    assert.match(found.warnings[0]!, /^Skipped .*n02_2\.JPEG cannot be decoded \(.*1st of at most 2/);
    assert.deepEqual(found.broken, [8]);
    const resumed = await streamOf(dir);
    resumed.skip([8]);
    assert.deepEqual(await take(resumed, 0, 18), { ...found, warnings: [], broken: [] });
    const later = await take(await streamOf(dir), Math.floor(at / 6) * 6, 6);
    assert.deepEqual(later.ids, found.ids.slice(Math.floor(at / 6) * 6, Math.floor(at / 6) * 6 + 6));
    writeFileSync(file(3), '');
    writeFileSync(file(4), 'no image');
    const full = await streamOf(dir);
    full.skip([0, 1]); // as many as are tolerated
    await assert.rejects(take(full, 0, 18), /Expected at most 2 broken images/);
    await assert.rejects(take(await streamOf(dir), 0, 18), (error: unknown) => {
      assert.ok(error instanceof RunError && error.code === 'broken-images', String(error));
      assert.match(
        error.message,
        /^Expected at most 2 broken images in imagenet:train but received one more: .*n02_/,
      );
      return true;
    });
    const opened = await openSplit({ ...split, dir });
    const form = { size: 16, resize: null, filter: 'bilinear', decoding: 'exact' } as const;
    await assert.rejects(
      decodePlaces(opened, opened.indices, form),
      refused(/in imagenet:train but received 3 broken ones: .*n02_2\.JPEG .*n02_3\.JPEG .*n02_4\.JPEG/),
    );
    // The guard measures training images, of which so many may be broken.
    const left = await decodePlaces(opened, opened.indices, { ...form, mostBroken: 3 });
    assert.deepEqual([...left.ids], [0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15, 16, 17]);
    assert.deepEqual([...left.labels.subarray(6, 10)], [1, 1, 1, 2]);
    assert.match(left.warnings.join(), /^Left out 3 broken images of the 18 of imagenet:train .*n02_2\.JPEG/);
    const whole = await decodePlaces(await openSplit({ ...split, dir: folder }), Uint32Array.of(12), form);
    assert.deepEqual(left.images.subarray(9 * 768, 10 * 768), whole.images);
    await assert.rejects(decodePlaces(opened, opened.indices, { ...form, mostBroken: 2 }), RunError);
  });
});

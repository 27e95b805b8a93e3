/** Sets of decoded images on disk: what is read is what was kept, or nothing; and the limit. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { keepImages, keptSets, readImages } from '../../src/data/image-cache.js';

const root = mkdtempSync(join(tmpdir(), 'satin-image-cache-'));
after(() => rmSync(root, { recursive: true }));
let places = 0;
const placeOf = (limit: number) => ({ folder: join(root, `${places++}`), limit });
const bytes = 12;
/** `count` images of pixels that depend on `seed`, the last of `count + 1` left out. */
const imagesOf = (count: number, seed: number) => ({
  images: Uint8Array.from({ length: count * bytes }, (_, at) => at * seed),
  kept: Uint32Array.from({ length: count }, (_, at) => at),
  warnings: ['one is odd: ü'],
});
const set = (key: string, most = 9) => ({ key, most, bytes });

describe('a set of images', () => {
  it('is read as it was kept, by its key alone', async () => {
    const place = placeOf(1e6);
    assert.equal(await readImages(place, set('a')), null);
    await keepImages(place, set('a'), imagesOf(8, 3));
    await keepImages(place, set('b'), imagesOf(0, 1));
    assert.deepEqual(await readImages(place, set('a')), imagesOf(8, 3));
    assert.deepEqual(await readImages(place, set('b')), imagesOf(0, 1));
    assert.equal(await readImages(place, set('c')), null);
    // Of a view into a larger array, its part.
    const whole = Uint8Array.from({ length: 5 * bytes }, (_, at) => at);
    const part = { ...imagesOf(2, 1), images: whole.subarray(bytes, 3 * bytes) };
    await keepImages(place, set('d'), part);
    assert.deepEqual(await readImages(place, set('d')), { ...part, images: part.images.slice() });
  });

  it('is none if a byte is another, it is cut or longer, or the file has another name', async () => {
    const place = placeOf(1e6);
    await keepImages(place, set('a'), imagesOf(3, 5));
    const file = join(place.folder, 'a.images');
    const right = readFileSync(file);
    for (let at = 0; at < right.length; at++) {
      const wrong = Buffer.from(right);
      wrong[at]! ^= 1 << (at % 8);
      writeFileSync(file, wrong);
      assert.equal(await readImages(place, set('a')), null, `byte ${at}`);
    }
    for (const wrong of [
      right.subarray(0, 0),
      right.subarray(0, 40),
      right.subarray(0, -1),
      Buffer.concat([right, right]),
    ]) {
      writeFileSync(file, wrong);
      assert.equal(await readImages(place, set('a')), null);
    }
    writeFileSync(join(place.folder, 'b.images'), right);
    assert.equal(await readImages(place, set('b')), null);
    writeFileSync(file, right);
    assert.equal(await readImages(place, set('a', 2)), null, 'more than there can be');
    assert.equal(await readImages(place, { ...set('a'), bytes: 11 }), null);
    assert.deepEqual(await readImages(place, set('a')), imagesOf(3, 5));
  });

  it('claims no memory that its file does not hold', async () => {
    const place = placeOf(1e6);
    await keepImages(place, set('a'), imagesOf(1, 1));
    const file = join(place.folder, 'a.images');
    const huge = readFileSync(file);
    huge.writeUInt32LE(0xffffffff, 52);
    writeFileSync(file, huge);
    assert.equal(await readImages(place, { key: 'a', most: 2 ** 32, bytes: 50_000_000 }), null);
  });
});

describe('the folder', () => {
  it('loses what was not used for the longest time where it is above its limit', async () => {
    const place = placeOf(2000);
    const large = (seed: number) => imagesOf(50, seed);
    const most = { most: 50, bytes };
    for (const [key, age] of [
      ['a', 3],
      ['b', 2],
    ] as const) {
      await keepImages(place, { key, ...most }, large(1));
      const used = Date.now() / 1000 - age * 3600;
      utimesSync(join(place.folder, `${key}.images`), used, used);
    }
    assert.deepEqual(
      keptSets(place).map(({ path }) => path.at(-8)),
      ['a', 'b'],
    );
    await readImages(place, { key: 'a', ...most });
    await keepImages(place, { key: 'c', ...most }, large(2));
    assert.deepEqual(readdirSync(place.folder).sort(), ['a.images', 'c.images']);
    await keepImages({ ...place, limit: 100 }, { key: 'd', ...most }, large(2));
    assert.deepEqual(readdirSync(place.folder).sort(), ['a.images', 'c.images'], 'a set above the limit');
  });

  it('loses what a process left that was killed, a day later', async () => {
    const place = placeOf(1e6);
    await keepImages(place, set('a'), imagesOf(1, 1));
    const left = (name: string) => join(place.folder, name);
    for (const name of ['x.images.1.2.tmp', 'y.images.3.4.tmp', 'other.tmp']) writeFileSync(left(name), '');
    for (const name of ['x.images.1.2.tmp', 'other.tmp']) utimesSync(left(name), 1, 1);
    await keepImages(place, set('b'), imagesOf(1, 1));
    assert.deepEqual(readdirSync(place.folder).sort(), [
      'a.images',
      'b.images',
      'other.tmp',
      'y.images.3.4.tmp',
    ]);
  });

  it('that cannot be made is an error with a sentence, and nothing is left', async () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    const place = { folder: join(file, 'images'), limit: 1e6 };
    await assert.rejects(keepImages(place, set('a'), imagesOf(1, 1)), /Expected to write .* but /);
    assert.equal(await readImages(place, set('a')), null);
    assert.deepEqual(keptSets(place), []);
    assert.ok(existsSync(file));
  });
});

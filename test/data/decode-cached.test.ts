/** Images of a folder with and without what an earlier start kept: the same, and decoded anew where anything changed. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { type CachedDecoding, decodeCached } from '../../src/data/decode-cached.js';
import { type DecodeAll, decodeImages } from '../../src/data/decode-image.js';

const root = mkdtempSync(join(tmpdir(), 'satin-decode-cached-'));
after(() => rmSync(root, { recursive: true }));
const photo = (seed: number, format: 'png' | 'jpeg' = 'jpeg') =>
  sharp(
    Uint8Array.from({ length: 12 * 10 * 3 }, (_, at) => (at * seed) % 251),
    {
      raw: { height: 10, width: 12, channels: 3 },
    },
  )
    .toFormat(format)
    .toBuffer();
const files = ['a.jpg', 'b.jpg', 'c.png'].map((name) => join(root, name));
for (const [index, file] of files.entries())
  writeFileSync(file, await photo(index + 3, file.endsWith('png') ? 'png' : 'jpeg'));

const form = { size: [6, 6] } as const;
const place = { folder: join(root, 'kept'), limit: 1e6 };
const always = { place, worthSeconds: 0, settledSeconds: 0 };
const kept = () => readdirSync(place.folder).length;

/** Whether images came from what was kept: these are told at once. */
async function load(options: Partial<DecodeAll> = {}, cached: CachedDecoding = always) {
  let told = 0;
  const decoded = await decodeCached({ files, form, onProgress: () => told++, ...options }, cached);
  return { decoded, isKept: told === 1 };
}

describe('images that were kept', () => {
  it('are those that decoding gives, warnings and all', async () => {
    const anew = await decodeImages({ files, form });
    const [first, second] = [await load(), await load()];
    assert.deepEqual([first.isKept, second.isKept], [false, true]);
    assert.deepEqual(first.decoded, anew);
    assert.deepEqual(second.decoded, anew);
  });

  it('are not taken for other files, in another form or by another rule', async () => {
    for (const options of [
      { form: { size: [6, 5] } },
      { form: { ...form, resize: 'pad' } },
      { form: { ...form, channels: 1 } },
      { broken: 'skip' },
      { files: [...files].reverse() },
      { files: files.slice(1) },
      { files: files.map((file) => relative('.', file)) }, // warnings name them so
    ] as const) {
      const before = kept();
      assert.equal((await load(options)).isKept, false, JSON.stringify(options));
      assert.equal(kept(), before + 1);
      const { decoded, isKept } = await load(options);
      assert.ok(isKept);
      assert.deepEqual(decoded, await decodeImages({ files, form, ...options }));
    }
  });

  it('are decoded anew once a file has changed, if only by its time', async () => {
    const path = join(root, 'changed');
    mkdirSync(path);
    const own = ['1.jpg', '2.jpg'].map((name) => join(path, name));
    for (const file of own) writeFileSync(file, await photo(7));
    await load({ files: own });
    assert.ok((await load({ files: own })).isKept);
    writeFileSync(own[1]!, await photo(7));
    assert.equal((await load({ files: own })).isKept, false);
    await load({ files: own });
    // Another file by the same name.
    writeFileSync(join(path, 'new'), await photo(11));
    renameSync(join(path, 'new'), own[0]!);
    const { decoded, isKept } = await load({ files: own });
    assert.equal(isKept, false);
    assert.deepEqual(decoded, await decodeImages({ files: own, form }));
  });

  it('are decoded anew if what was kept is damaged, and kept again', async () => {
    const own = { form: { size: [4, 4] } } as const;
    const before = new Set([...readdirSync(place.folder)]);
    await load(own);
    const [name] = readdirSync(place.folder).filter((each) => !before.has(each));
    truncateSync(join(place.folder, name!), 100);
    const { decoded, isKept } = await load(own);
    assert.equal(isKept, false);
    assert.deepEqual(decoded, await decodeImages({ files, ...own }));
    assert.ok((await load(own)).isKept);
  });
});

describe('images are not kept', () => {
  const own = { form: { size: [3, 3] } } as const;
  const assertNotKept = async (options: Partial<DecodeAll>, cached: CachedDecoding) => {
    const before = kept();
    for (let time = 0; time < 2; time++) assert.equal((await load(options, cached)).isKept, false);
    assert.equal(kept(), before);
  };

  it('that are decoded in a moment, or have just changed, or if it is turned off', async () => {
    await assertNotKept(own, { ...always, worthSeconds: 60 });
    await assertNotKept(own, { ...always, settledSeconds: 600 });
    await assertNotKept(own, { ...always, place: null });
  });

  it('where any was left out, since it may only have been out of reach', async () => {
    const cut = join(root, 'cut.jpg');
    writeFileSync(cut, (await photo(5)).subarray(0, 60));
    await assertNotKept({ files: [...files, cut], broken: 'skip' }, always);
    await assertNotKept({ files: [...files, join(root, 'none.jpg')], broken: 'skip' }, always);
    await assert.rejects(load({ files: [...files, cut] }), /Expected an image that can be read to its end/);
  });

  it('where nothing can be written, with a warning beside those of the images', async () => {
    const blocked = join(root, 'blocked');
    writeFileSync(blocked, '');
    const { decoded } = await load(own, { ...always, place: { ...place, folder: join(blocked, 'kept') } });
    const { warnings, ...images } = await decodeImages({ files, ...own });
    assert.deepEqual({ images: decoded.images, kept: decoded.kept }, images);
    assert.deepEqual(decoded.warnings.slice(0, -1), warnings);
    assert.match(decoded.warnings.at(-1)!, /are not kept for the next start: Expected to write/);
  });
});

it('two processes that keep the same images at once leave them whole', async () => {
  const other = { ...always, place: { ...place, folder: join(root, 'together') } };
  const all = await Promise.all(Array.from({ length: 6 }, () => load({}, other)));
  const anew = await decodeImages({ files, form });
  for (const { decoded } of all) assert.deepEqual(decoded, anew);
  assert.deepEqual(readdirSync(other.place.folder).length, 1);
  assert.deepEqual((await load({}, other)).decoded, anew);
});

/** ImageNet's layouts, odd and broken images, order and resuming, on small images that are made here. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { packTar } from 'modern-tar';
import sharp from 'sharp';
import { centreView } from '../../../src/data/imagenet/crop.js';
import { decodeView } from '../../../src/data/imagenet/decode.js';
import { placesOf } from '../../../src/data/imagenet/robustbench-subset.js';
import { orderOf } from '../../../src/data/imagenet/shuffle.js';
import { chosenPlaces, decodePlaces, openSplit } from '../../../src/data/imagenet/splits.js';
import { ImageStream, type StreamOptions } from '../../../src/data/imagenet/stream.js';
import { InputError, RunError } from '../../../src/errors.js';

const root = mkdtempSync(join(tmpdir(), 'satin-imagenet-'));
after(() => rmSync(root, { recursive: true }));

const classes = ['n01', 'n02', 'n03'];
const perClass = 6;

/** A picture with structure, different for each number. */
function picture(number: number, height = 24, width = 30): Buffer {
  return Buffer.from(
    Array.from({ length: height * width * 3 }, (_, at) => {
      const [y, x, channel] = [Math.floor(at / 3 / width), Math.floor(at / 3) % width, at % 3];
      return Math.round(127 + 120 * Math.sin((x * (number + 2) + y * 3 + channel * 20) / 15));
    }),
  );
}

const raw = (number: number) => sharp(picture(number), { raw: { height: 24, width: 30, channels: 3 } });
const jpeg = (number: number) => raw(number).jpeg({ quality: 95 }).toBuffer();

async function makeFolder(): Promise<string> {
  const dir = mkdtempSync(join(root, 'folder-'));
  for (const part of ['train', 'val'])
    for (const [label, name] of classes.entries()) {
      mkdirSync(join(dir, part, name), { recursive: true });
      for (let at = 0; at < (part === 'train' ? perClass : 1); at++) {
        const number = String(10 * label + at).padStart(8, '0');
        const file = part === 'train' ? `${name}_${at}.JPEG` : `ILSVRC2012_val_${number}.JPEG`;
        writeFileSync(join(dir, part, name, file), await jpeg(10 * label + at));
      }
    }
  return dir;
}

async function makeShards(): Promise<string> {
  const dir = mkdtempSync(join(root, 'shards-'));
  const long = `${'deep/'.repeat(30)}a`; // more than the header of tar holds
  for (let shard = 0; shard < 3; shard++) {
    const entries = [];
    for (let at = 0; at < 6; at++) {
      const number = 6 * shard + at;
      const [label, key] = [Math.floor(number / perClass), `${number === 4 ? long : 'img'}${number}`];
      entries.push({
        name: `${key}.jpg`,
        body: new Uint8Array(await jpeg(10 * label + (number % perClass))),
      });
      if (number % 2 === 0) entries.push({ name: `${key}.cls`, body: `${label}` });
      else entries.push({ name: `${key}.json`, body: JSON.stringify({ label, filename: 'x' }) });
    }
    const archive = await packTar(
      entries.map(({ name, body }) => ({ header: { name, size: body.length }, body })),
    );
    writeFileSync(join(dir, `imagenet-train-00000${shard}.tar`), archive);
  }
  writeFileSync(join(dir, 'classes.txt'), `${classes.join('\n')}\n`);
  return dir;
}

const folder = await makeFolder();
const shards = await makeShards();
const split = { layout: null, split: 'train', validation: 0, validationSeed: 0 } as const;
const off = { brightness: 0, contrast: 0, saturation: 0, lighting: 0 };

async function streamOf(dir: string, options: Partial<StreamOptions> = {}): Promise<ImageStream> {
  const { images, places } = await openSplit({ ...split, dir });
  return new ImageStream({
    images,
    places,
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
  return { x: [...x.numbers()], labels: [...labels.numbers()], ids: [...ids], warnings: taken.warnings };
}

const refused = (expected: RegExp) => (error: unknown) => {
  assert.ok(error instanceof InputError, String(error));
  assert.match(error.message, expected);
  return true;
};

describe('layouts', () => {
  it('of folders and of shards give the same images and labels', async () => {
    const [a, b] = await Promise.all([folder, shards].map((dir) => openSplit({ ...split, dir })));
    assert.deepEqual(a!.images.classes, classes);
    assert.deepEqual(b!.images.classes, classes);
    assert.deepEqual(a!.images.labels, b!.images.labels);
    assert.deepEqual(b!.images.shards, [0, 6, 12]);
    for (const place of [0, 4, 17])
      assert.deepEqual(await a!.images.read(place), Buffer.from(await b!.images.read(place)));
    assert.match(b!.images.nameOf(4), /000000\.tar: deep\/.*a4\.jpg$/);
    await b!.images.close();
  });

  it('of test are val, and training gives up what validation takes', async () => {
    const test = await openSplit({ ...split, dir: folder, split: 'test' });
    assert.deepEqual([...test.images.labels], [0, 1, 2]);
    const [train, validation] = await Promise.all(
      (['train', 'validation'] as const).map((each) =>
        openSplit({ ...split, dir: folder, split: each, validation: 6 }),
      ),
    );
    assert.equal(validation!.places.length, 6);
    assert.deepEqual(
      [...train!.places, ...validation!.places].sort((a, b) => a - b),
      [...Array(18).keys()],
    );
  });

  it('that are cut short, damaged, incomplete or none are refused and named', async () => {
    const broken = (change: (dir: string) => void) =>
      makeShards().then((dir) => {
        change(dir);
        return openSplit({ ...split, dir });
      });
    const first = (dir: string) => join(dir, 'imagenet-train-000000.tar');
    const whole = readFileSync(first(shards));
    await assert.rejects(
      broken((dir) => truncateSync(first(dir), 1000)),
      refused(/000000\.tar but received one cut short after 1,000 bytes, within img0\.jpg/),
    );
    const end = whole.length - 1024;
    await assert.rejects(
      broken((dir) => truncateSync(first(dir), end)),
      refused(/cut short after .*without an end after img5\.json/),
    );
    await assert.rejects(
      broken((dir) => writeFileSync(first(dir), Buffer.alloc(2000, 7))),
      refused(/a header that is none at byte 0/),
    );
    await assert.rejects(
      broken((dir) => rmSync(join(dir, 'imagenet-train-000001.tar'))),
      refused(/000001\.tar but received none, but .*000002\.tar after it/),
    );
    await assert.rejects(
      broken((dir) => writeFileSync(join(dir, 'classes.txt'), 'a\nb\n')),
      refused(/a label below 2, the number of classes, for .*img12/),
    );
    const flat = mkdtempSync(join(root, 'flat-'));
    mkdirSync(join(flat, 'val'));
    writeFileSync(join(flat, 'val', 'ILSVRC2012_val_00000001.JPEG'), '');
    await assert.rejects(
      openSplit({ ...split, dir: flat, split: 'test' }),
      refused(/images that lie side by side\. Sort them/),
    );
    await assert.rejects(openSplit({ ...split, dir: flat }), refused(/train\/ with a subfolder.*neither/));
    await assert.rejects(openSplit({ ...split, dir: join(flat, 'x') }), refused(/received no folder/));
  });

  it('without a label for an image are refused', async () => {
    const dir = mkdtempSync(join(root, 'unlabelled-'));
    const body = new Uint8Array(await jpeg(0));
    writeFileSync(
      join(dir, 'train-0.tar'),
      await packTar([{ header: { name: 'a.jpg', size: body.length }, body }]),
    );
    await assert.rejects(
      openSplit({ ...split, dir }),
      refused(/a label \(\.cls or \.json\) for .*a received|a label/),
    );
  });
});

describe('odd images', () => {
  const viewOf = (size: readonly [number, number]) => centreView(size, { resize: 24, size: 24 });
  const decode = async (encoded: Buffer, decoding: 'exact' | 'fast' = 'exact') => {
    const target = new Uint8Array(3 * 24 * 24);
    await decodeView(encoded, { viewOf, filter: 'bilinear', decoding, target, offset: 0 });
    return target;
  };
  /** The middle 24 columns, as planes. */
  const expected = (pixel: (at: number, channel: number) => number) =>
    Uint8Array.from({ length: 3 * 24 * 24 }, (_, at) => {
      const [channel, y, x] = [Math.floor(at / 576), Math.floor((at % 576) / 24), at % 24];
      return pixel((y * 30 + x + 3) * 3, channel);
    });
  const pixels = picture(1);

  it('are read by their content, without alpha, orientation or colour profile', async () => {
    const plain = expected((at, channel) => pixels[at + channel]!);
    assert.deepEqual(await decode(await raw(1).png().toBuffer()), plain);
    const see = Buffer.from(
      Array.from({ length: 24 * 30 * 4 }, (_, at) =>
        at % 4 === 3 ? at % 200 : pixels[3 * Math.floor(at / 4) + (at % 4)]!,
      ),
    );
    const alpha = sharp(see, { raw: { height: 24, width: 30, channels: 4 } });
    assert.deepEqual(await decode(await alpha.png().toBuffer()), plain);
    const turned = await raw(1).withMetadata({ orientation: 6 }).png().toBuffer();
    assert.deepEqual(await decode(turned), plain);
    const profiled = await raw(1).withIccProfile('p3', { attach: true }).png().toBuffer();
    const ignored = await sharp(profiled, { ignoreIcc: true }).raw().toBuffer();
    assert.deepEqual(
      await decode(profiled),
      expected((at, channel) => ignored[at + channel]!),
    );
  });

  it('of one channel become three equal ones', async () => {
    const grey = await raw(1).greyscale().toColourspace('b-w').raw().toBuffer();
    const encoded = await sharp(grey, { raw: { height: 24, width: 30, channels: 1 } })
      .png()
      .toBuffer();
    assert.deepEqual(
      await decode(encoded),
      expected((at) => grey[at / 3]!),
    );
  });

  it('of four inks become what Pillow makes of them', async () => {
    const encoded = await raw(1).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    const inks = await sharp(encoded, { ignoreIcc: true })
      .pipelineColourspace('cmyk')
      .toColourspace('cmyk')
      .raw()
      .toBuffer();
    assert.equal(inks.length, 24 * 30 * 4);
    const found = await decode(encoded);
    const arithmetic = expected((at, channel) => {
      const light = 255 - inks[(at / 3) * 4 + 3]!;
      return light - Math.round((inks[(at / 3) * 4 + channel]! * light) / 255);
    });
    assert.deepEqual(found, arithmetic);
  });

  it('that are large are shrunk while they are decoded, where that is asked for', async () => {
    const large = await raw(1).resize(300, 240).jpeg().toBuffer();
    const [exact, fast] = [await decode(large), await decode(large, 'fast')];
    const difference = exact.reduce((sum, value, at) => sum + Math.abs(value - fast[at]!), 0) / exact.length;
    assert.ok(difference > 0 && difference < 6, `${difference}`);
  });
});

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
    const later = await take(await streamOf(dir), Math.floor(at / 6) * 6, 6);
    assert.deepEqual(later.ids, found.ids.slice(Math.floor(at / 6) * 6, Math.floor(at / 6) * 6 + 6));
    writeFileSync(file(3), '');
    writeFileSync(file(4), 'no image');
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
      decodePlaces(opened, opened.places, form),
      refused(/n02_\d\.JPEG but received a broken one/),
    );
  });
});

describe('the order of shards', () => {
  const places = Uint32Array.from({ length: 400 }, (_, at) => at);
  const starts = [0, 100, 200, 300];
  const order = (buffer: number | null, pass = 1) => [
    ...orderOf({ seed: 1, pass, places, shards: starts, buffer }),
  ];

  it('takes each image once, and no image before its window', () => {
    for (const buffer of [1, 10, 1000, null])
      assert.deepEqual(
        [...order(buffer)].sort((a, b) => a - b),
        [...places],
      );
    const inTurn = order(1);
    assert.notDeepEqual(inTurn, [...places]);
    assert.deepEqual(inTurn.slice(0, 100), [...places].slice(inTurn[0], inTurn[0]! + 100));
    const turn = new Map(inTurn.map((place, at) => [place, at]));
    for (const [at, place] of order(10).entries()) assert.ok(turn.get(place)! < at + 10);
    assert.notDeepEqual(order(10), order(10, 2));
    assert.deepEqual(order(10), order(10));
  });
});

describe('what is evaluated', () => {
  it('is a draw that keeps the proportions, or the first of the list of RobustBench', async () => {
    const opened = await openSplit({ ...split, dir: folder });
    const chosen = chosenPlaces(opened, { count: 6, seed: 0 });
    assert.deepEqual(
      [...chosen].map((place) => opened.images.labels[place]),
      [0, 0, 1, 1, 2, 2],
    );
    const test = await openSplit({ ...split, dir: folder, split: 'test' });
    const listed = placesOf(
      ['n03/ILSVRC2012_val_00000020.JPEG', 'n01/ILSVRC2012_val_00000000.JPEG'],
      test.images,
    );
    assert.deepEqual([...listed], [2, 0]);
    const data = await decodePlaces({ ...test, name: 'imagenet:robustbench-5000' }, listed, {
      size: 16,
      resize: 20,
      filter: 'bicubic',
      decoding: 'exact',
    });
    assert.deepEqual([[...data.ids], [...data.labels], data.order], [[2, 0], [2, 0], 'file']);
    assert.throws(
      () => placesOf(['n01/ILSVRC2012_val_00000009.JPEG'], test.images),
      refused(/1 of them is missing: n01\//),
    );
  });
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import type { Dataset, Split } from '../../src/data/dataset.js';
import { type LoadOptions, loadDataset } from '../../src/data/load-dataset.js';
import { InputError } from '../../src/errors.js';

const root = mkdtempSync(join(tmpdir(), 'satin-folder-'));
after(() => rmSync(root, { recursive: true }));

/** A 2x2 PNG whose red is `mark`, so that a decoded image can be told. */
async function marked(mark: number): Promise<Buffer> {
  return sharp({ create: { height: 2, width: 2, channels: 3, background: { r: mark, g: 0, b: 0 } } })
    .png()
    .toBuffer();
}
const png = await marked(9);

let folders = 0;
function folderOf(files: Readonly<Record<string, Uint8Array | string>>): string {
  const dir = join(root, `${folders++}`);
  mkdirSync(dir);
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), bytes);
  }
  return dir;
}

/** `counts` images in each class, marked 0, 1, 2... in the order of their paths. */
async function classesOf(counts: Readonly<Record<string, number>>): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  let mark = 0;
  for (const [name, count] of Object.entries(counts))
    for (let i = 0; i < count; i++) files[`${name}/${String(i).padStart(3, '0')}.png`] = await marked(mark++);
  return files;
}

function load(dir: string, split: Split, options: Partial<LoadOptions> = {}): Promise<Dataset> {
  return loadDataset({ name: 'folder', dir, split, size: [2, 2], ...options });
}

async function refusal(reading: Promise<object>): Promise<string> {
  const error = await reading.then(
    () => assert.fail('the folder was accepted'),
    (reason) => reason,
  );
  assert.ok(error instanceof InputError, String(error));
  assert.equal(error.exitCode, 2);
  return error.message;
}

const marks = (data: Dataset) => Array.from(data.ids, (_, i) => data.images[i * 12]!);

const cut = folderOf(await classesOf({ ant: 20, bee: 40, cow: 10 }));

test('a folder without splits is cut 80/10/10 in every class, with nothing lost or shared', async () => {
  const parts = await Promise.all(
    (['train', 'validation', 'test'] as const).map((split) => load(cut, split)),
  );
  const perClass = parts.map(({ labels }) =>
    [0, 1, 2].map((label) => labels.filter((other) => other === label).length),
  );
  assert.deepEqual(perClass, [
    [16, 32, 8],
    [2, 4, 1],
    [2, 4, 1],
  ]);
  const ids = parts.flatMap((part) => [...part.ids]).sort((a, b) => a - b);
  assert.deepEqual(
    ids,
    Array.from({ length: 70 }, (_, id) => id),
  );
  for (const part of parts) {
    assert.deepEqual(marks(part), [...part.ids], 'an id is the place in the sorted folder');
    assert.deepEqual(part.classes, ['ant', 'bee', 'cow']);
    assert.equal(part.order, 'folder');
    assert.deepEqual(part.shape, [3, 2, 2]);
    assert.deepEqual(part.warnings, []);
  }
});

test('the cut is the same each time, and another with another seed; the test images ignore the validation seed', async () => {
  const test = await load(cut, 'test');
  assert.deepEqual([...(await load(cut, 'test')).ids], [...test.ids]);
  assert.notDeepEqual([...(await load(cut, 'test', { testSeed: 1 })).ids], [...test.ids]);
  assert.deepEqual([...(await load(cut, 'test', { validationSeed: 1, validation: 5 })).ids], [...test.ids]);
  const validation = await load(cut, 'validation');
  assert.notDeepEqual([...(await load(cut, 'validation', { validationSeed: 1 })).ids], [...validation.ids]);
  // sha256("satin test 0 PATH") decides: worked out apart from this code, in Python.
  assert.deepEqual([...test.ids], [13, 19, 43, 46, 48, 50, 67]);
});

test('an amount for validation is taken from what the test leaves', async () => {
  const train = await load(cut, 'train', { validation: 21 });
  const validation = await load(cut, 'validation', { validation: 21 });
  const test = await load(cut, 'test', { validation: 21 });
  assert.deepEqual(
    [train, validation, test].map(({ ids }) => ids.length),
    [42, 21, 7],
  );
  assert.equal(new Set([train, validation, test].flatMap(({ ids }) => [...ids])).size, 70);
  assert.equal((await load(cut, 'train', { validation: 0 })).ids.length, 63);
  assert.match(
    await refusal(load(cut, 'validation', { validation: 0 })),
    /validation split .* received none/,
  );
});

test('a class of fewer than three images stays in training, with a warning', async () => {
  const dir = folderOf(await classesOf({ many: 10, two: 2 }));
  const train = await load(dir, 'train');
  assert.equal(train.labels.filter((label) => label === 1).length, 2);
  assert.match(train.warnings.join(), /1 class .* fewer than three .*: two/);
  assert.match(
    await refusal(load(folderOf(await classesOf({ a: 2, b: 2 })), 'test')),
    /test split .* received none/,
  );
});

test('folders for train, test and val are the splits, and a lone train is cut', async () => {
  for (const val of ['val', 'valid', 'validation']) {
    const dir = folderOf(
      await classesOf({
        'train/a': 3,
        'train/b': 3,
        'test/a': 1,
        'test/b': 2,
        [`${val}/a`]: 1,
        [`${val}/b`]: 1,
      }),
    );
    assert.deepEqual(marks(await load(dir, 'train')), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual([...(await load(dir, 'test')).labels], [0, 1, 1]);
    assert.deepEqual([...(await load(dir, 'test')).ids], [0, 1, 2]);
    assert.deepEqual(marks(await load(dir, 'validation')), [9, 10]);
    const asked = await load(dir, 'train', { validation: 2 });
    assert.equal(asked.ids.length, 6);
    assert.match(asked.warnings.join(), /amount for validation \(2\) was not used/);
    assert.deepEqual(marks(await load(dir, 'validation', { validation: 1 })), [9, 10]);
  }
  const lone = folderOf(await classesOf({ 'train/a': 10, 'train/b': 10 }));
  assert.equal((await load(lone, 'test')).ids.length, 2);
});

test('without val, validation images are taken from train; without test, the test is refused', async () => {
  const dir = folderOf(await classesOf({ 'train/a': 5, 'train/b': 5, 'test/a': 1, 'test/b': 1 }));
  const [train, validation] = [
    await load(dir, 'train', { validation: 0.2 }),
    await load(dir, 'validation', { validation: 0.2 }),
  ];
  assert.deepEqual([...validation.labels], [0, 1]);
  assert.equal(new Set([...train.ids, ...validation.ids]).size, 10);
  assert.equal((await load(dir, 'train')).ids.length, 10);
  assert.match(await refusal(load(dir, 'validation')), /Say how many training images/);
  const noTest = folderOf(await classesOf({ 'train/a': 5, 'train/b': 5, 'val/a': 1, 'val/b': 1 }));
  assert.match(await refusal(load(noTest, 'test')), /a folder for the test split .* Rename val\/ to test\//);
});

test('a class may be called train when its neighbours are no splits', async () => {
  const dir = folderOf(await classesOf({ car: 5, plane: 5, train: 5 }));
  assert.deepEqual((await load(dir, 'train')).classes, ['car', 'plane', 'train']);
});

test('splits with different classes are refused', async () => {
  const dir = folderOf(
    await classesOf({ 'train/ants': 2, 'train/bees': 2, 'test/ants': 1, 'test/Bees': 1, 'test/cows': 1 }),
  );
  for (const split of ['test', 'train'] as const)
    assert.match(
      await refusal(load(dir, split)),
      /only classes of .*train for .*test but received Bees, cows as well\. Did you mean 'bees' for 'Bees'\?/,
    );
  const twice = folderOf(await classesOf({ 'train/a': 1, 'val/a': 1, 'validation/a': 1 }));
  assert.match(
    await refusal(load(twice, 'validation')),
    /one folder for the validation split .* received both/,
  );
});

test('classes sort by code unit and links to folders count, so ids are the same everywhere', async () => {
  const dir = folderOf(await classesOf({ 'train/b': 1, 'train/B': 1, 'train/10': 1, 'train/9': 1 }));
  symlinkSync(join(dir, 'train', 'b'), join(dir, 'train', 'ä'));
  mkdirSync(join(dir, 'test'));
  assert.deepEqual((await load(dir, 'train')).classes, ['10', '9', 'B', 'b', 'ä']);
});

test('files that are no images are skipped, counted and named', async () => {
  const dir = folderOf({
    'train/a/1.png': png,
    'train/a/Thumbs.db': 'x',
    'train/a/.DS_Store': 'x',
    'train/a/._1.png': 'x',
    'train/a/deeper/2.png': png,
    'train/b/notes.txt': 'x',
    'train/b/1.JPEG': png,
    'train/.git/config': 'x',
    'test/a/1.png': png,
  });
  const { ids, warnings } = await load(dir, 'train');
  assert.equal(ids.length, 2);
  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /Skipped 6 entries of .*train that are no images: .*and 3 more\./);
});

test('folders that cannot be a data set are refused with what is wrong', async () => {
  assert.match(await refusal(load(join(root, 'nowhere'), 'train')), /nowhere but received no folder/);
  assert.match(await refusal(load(folderOf({}), 'train')), /a folder without subfolders/);
  assert.match(await refusal(load(folderOf({ 'a.png': png }), 'train')), /a folder without subfolders/);
  assert.match(
    await refusal(load(folderOf({ 'cat/a.png': png }), 'train')),
    /at least two subfolders.* one \(cat\)/,
  );
  assert.match(
    await refusal(load(folderOf({ 'cat/a.png': png, 'dog/a.heic': 'x' }), 'train')),
    /at least one image .*dog but received a\.heic/,
  );
  const file = join(folderOf({ 'cat.png': png }), 'cat.png');
  assert.match(await refusal(load(file, 'train')), /a folder of images .* received a file/);
  assert.match(
    await refusal(load(folderOf({ 'train/x.txt': 'x', 'test/x.txt': 'x' }), 'train')),
    /two subfolders.* none/,
  );
  assert.match(await refusal(loadDataset({ name: 'folder', split: 'test' })), /path of a folder of images/);
});

test('a truncated JPEG is refused and named, but only by the split it is in', async () => {
  const noise = Buffer.from(Array.from({ length: 3072 }, (_, i) => (i * 7919) & 255));
  const jpeg = await sharp(noise, { raw: { height: 32, width: 32, channels: 3 } })
    .jpeg()
    .toBuffer();
  const cut = jpeg.subarray(0, jpeg.length / 2);
  const dir = folderOf({
    'train/a/1.jpg': jpeg,
    'train/b/broken.jpg': cut,
    'test/a/1.jpg': jpeg,
    'test/b/1.jpg': jpeg,
  });
  const message = await refusal(load(dir, 'train'));
  assert.ok(message.includes(join(dir, 'train', 'b', 'broken.jpg')), message);
  assert.equal((await load(dir, 'test')).ids.length, 2);
});

test('without a size all images must have that of the first', async () => {
  const same = await load(cut, 'train', { size: undefined });
  assert.deepEqual(same.shape, [3, 2, 2]);
  const other = await sharp(png).resize(3, 3).png().toBuffer();
  const dir = folderOf({ 'train/a/1.png': png, 'train/b/2.png': other, 'test/a/1.png': png });
  assert.match(await refusal(load(dir, 'train', { size: undefined })), /2\.png but received one of 3x3/);
});

test('one channel and progress are handed on', async () => {
  const seen: string[] = [];
  const data = await load(cut, 'test', {
    channels: 1,
    onProgress: ({ stage, what, done, total }) => seen.push(`${stage} ${what} ${done}/${total}`),
  });
  assert.deepEqual(data.shape, [1, 2, 2]);
  assert.equal(data.images.length, 7 * 4);
  assert.equal(seen.at(-1), 'decode folder:test 7/7');
});

test('a class without images in one split is told before training, and measured on the rest in the order of training', async () => {
  for (const other of [{}, { 'test/bee/.keep': '' }, { 'test/bee/notes.txt': '' }]) {
    const dir = folderOf({
      ...(await classesOf({ 'train/ant': 3, 'train/bee': 3, 'train/cow': 3, 'test/ant': 1, 'test/cow': 2 })),
      ...other,
    });
    const said =
      /^1 class of the 3 of .*train has no images in .*test: bee\. What is measured there .* other classes alone\.$/;
    const train = await load(dir, 'train', { validation: 0 });
    assert.equal(train.warnings.filter((warning) => said.test(warning)).length, 1, train.warnings.join());
    const test = await load(dir, 'test');
    assert.deepEqual(test.classes, ['ant', 'bee', 'cow']);
    assert.deepEqual([...test.labels], [0, 2, 2]);
    assert.equal(test.warnings.filter((warning) => said.test(warning)).length, 1, test.warnings.join());
  }
  const alone = folderOf({ ...(await classesOf({ 'test/ant': 1, 'test/cow': 1 })), 'test/bee/.keep': '' });
  assert.deepEqual([...(await load(alone, 'test')).labels], [0, 2]);
  const untrained = folderOf({
    ...(await classesOf({ 'train/a': 1, 'train/d': 1 })),
    'train/b/.keep': '',
    'train/c/.keep': '',
  });
  assert.match(
    await refusal(load(untrained, 'train')),
    /at least one image .*b, .*c but received .* class b, c/,
  );
});

test('folders of splits are known in upper and lower case, and beside other folders they are told', async () => {
  for (const [train, testing] of [
    ['Train', 'Test'],
    ['TRAIN', 'TEST'],
    ['Training', 'Testing'],
  ]) {
    const dir = folderOf(
      await classesOf({ [`${train}/a`]: 2, [`${train}/b`]: 2, [`${testing}/a`]: 1, [`${testing}/b`]: 1 }),
    );
    assert.deepEqual((await load(dir, 'test')).classes, ['a', 'b']);
    assert.equal((await load(dir, 'train')).ids.length, 4);
  }
  const mixed = folderOf(
    await classesOf({ 'train/a': 1, 'train/b': 1, 'test/a': 1, 'test/b': 1, 'dev/a': 1 }),
  );
  assert.match(
    await refusal(load(mixed, 'train')),
    /both: train\/ holds folders itself, and beside it there is dev/,
  );
  const deep = folderOf(await classesOf({ 'photos/a': 1, 'photos/b': 1 }));
  assert.match(
    await refusal(load(deep, 'train')),
    /one \(photos\)\..*photos holds the classes, give that folder/,
  );
});

test('~ is the home of the user', async () => {
  const { HOME } = process.env;
  process.env.HOME = root;
  try {
    const dir = folderOf(await classesOf({ a: 4, b: 4 }));
    assert.equal((await load(`~/${dir.slice(root.length + 1)}`, 'test')).ids.length, 2);
  } finally {
    process.env.HOME = HOME;
  }
});

test('all broken images are named at once, or left out, counted and named', async () => {
  const files = {
    ...(await classesOf({ 'train/a': 3, 'train/b': 3, 'test/a': 1, 'test/b': 1 })),
    'train/a/x.png': png.subarray(0, 40),
    'train/b/y.jpg': 'no image',
    'train/b/z.png': '',
  };
  const dir = folderOf(files);
  symlinkSync(join(dir, 'nowhere.png'), join(dir, 'train', 'b', 'link.png'));
  const message = await refusal(load(dir, 'train'));
  assert.match(
    message,
    /received 4 broken ones of 10: .*x\.png \(.*link\.png \(no file\), .*y\.jpg \(.*z\.png/,
  );
  assert.match(message, /data\.broken: skip/);
  for (const size of [[2, 2], undefined] as const) {
    const { ids, labels, warnings } = await load(dir, 'train', { broken: 'skip', size, validation: 0 });
    assert.deepEqual([...ids], [0, 1, 2, 4, 5, 6], 'ids are those of the whole list');
    assert.deepEqual([...labels], [0, 0, 0, 1, 1, 1]);
    assert.match(warnings.join(), /^Left out 4 broken images of 10: .*x\.png.*link\.png.*y\.jpg.*z\.png/);
  }
});

test('formats that are not read are told apart from what is no picture', async () => {
  const dir = folderOf({
    ...(await classesOf({ 'train/a': 1, 'train/b': 1 })),
    'train/a/1.heic': 'x',
    'train/a/2.HEIC': 'x',
    'train/b/3.svg': '<svg/>',
    'train/b/readme.md': 'x',
  });
  const { warnings } = await load(join(dir, 'train'), 'train', { validation: 0 });
  assert.match(
    warnings[0]!,
    /Skipped 3 files .* not read \(\.heic, \.svg\): a\/1\.heic, a\/2\.HEIC, b\/3\.svg\. Convert/,
  );
  assert.match(warnings[1]!, /Skipped 1 entry .* no images: b\/readme\.md/);
});

test('names that are not UTF-8 are read, of files, folders and links, and shown with their bytes', async () => {
  const dir = folderOf(await classesOf({ 'train/b': 2, 'test/b': 1 }));
  const named = (...parts: readonly string[]) => Buffer.from([dir, 'train', ...parts].join('/'), 'latin1');
  mkdirSync(named('th\xe9'));
  for (const name of ['caf\xe9.png', 'caf\xe8.png']) writeFileSync(named('th\xe9', name), png);
  writeFileSync(named('th\xe9', 'caf\xe7.png'), 'no picture');
  symlinkSync('../b/000.png', named('th\xe9', 'a link\xff.png'));
  const found = await load(dir, 'train', { validation: 0, broken: 'skip' });
  assert.deepEqual(found.classes, ['b', 'th\udce9']);
  assert.deepEqual([...found.labels], [0, 0, 1, 1, 1]);
  assert.deepEqual([...found.ids], [0, 1, 2, 4, 5]);
  assert.match(found.warnings.join(), /Left out 1 broken image of 6: .*th\\udce9\/caf\\udce7\.png/);
});

test('two forms of one name are told apart', async () => {
  const composed = 'caf\u00e9';
  const decomposed = composed.normalize('NFD');
  const two = folderOf(await classesOf({ [composed]: 1, [decomposed]: 1, tea: 1 }));
  const message = await refusal(load(two, 'train'));
  assert.ok(message.includes(`'cafe\\u0301' and '${composed}', two Unicode forms of one name`), message);
  const split = folderOf(
    await classesOf({
      [`train/${decomposed}`]: 2,
      'train/tea': 2,
      [`test/${composed}`]: 1,
      'test/tea': 1,
    }),
  );
  const test = await load(split, 'test');
  assert.deepEqual(test.classes, [decomposed, 'tea'], 'the names are those of training');
  assert.deepEqual([...test.labels], [0, 1]);
  assert.deepEqual(test.warnings, []);
});

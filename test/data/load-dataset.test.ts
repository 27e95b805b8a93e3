import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { dataNames } from '../../src/data/dataset-names.js';
import { loadDataset } from '../../src/data/load-dataset.js';
import { classCounts } from '../../src/data/stratify.js';
import { InputError } from '../../src/errors.js';

const root = mkdtempSync(join(tmpdir(), 'satin-sets-'));
const home = process.cwd();
process.chdir(root); // so that data/ of whoever runs the tests is not found
after(() => {
  process.chdir(home);
  rmSync(root, { recursive: true });
});

function idx(dimensions: readonly number[], values: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.set([0, 0, 8, dimensions.length]);
  for (const [axis, length] of dimensions.entries()) header.writeUInt32BE(length, 4 + 4 * axis);
  return Buffer.concat([header, values]);
}

/** A folder in MNIST's form: 200 training images of 1x2 pixels, labels 0 to 9 in turn, and 20 test images. */
function mnistIn(dir: string): string {
  mkdirSync(dir, { recursive: true });
  for (const [prefix, count] of [
    ['train', 200],
    ['t10k', 20],
  ] as const) {
    writeFileSync(
      join(dir, `${prefix}-images-idx3-ubyte`),
      idx(
        [count, 1, 2],
        Uint8Array.from({ length: 2 * count }, (_, i) => i >> 1),
      ),
    );
    writeFileSync(
      join(dir, `${prefix}-labels.idx1-ubyte`),
      idx(
        [count],
        Uint8Array.from({ length: count }, (_, i) => i % 10),
      ),
    );
  }
  return dir;
}
const dir = mnistIn(join(root, 'somewhere'));

test('train is whole where no validation is asked for, and test is untouched by it', async () => {
  const train = await loadDataset({ name: 'mnist', dir, split: 'train' });
  assert.equal(train.ids.length, 200);
  assert.equal(train.name, 'mnist:train');
  const test = await loadDataset({ name: 'mnist', dir, split: 'test', validation: 50 });
  assert.deepEqual(
    [...test.ids],
    Array.from({ length: 20 }, (_, id) => id),
  );
});

test('the validation split is stratified, disjoint from train, repeatable, and moved by its own seed', async () => {
  for (const [validation, count] of [
    [40, 40],
    [0.25, 50],
    [7, 7],
    [1, 1],
  ] as const) {
    const options = { name: 'mnist', dir, validation } as const;
    const train = await loadDataset({ ...options, split: 'train' });
    const held = await loadDataset({ ...options, split: 'validation' });
    assert.equal(held.ids.length, count);
    assert.equal(new Set([...train.ids, ...held.ids]).size, 200);
    assert.equal(train.ids.length, 200 - count);
    const sizes = classCounts(held.labels, 10);
    assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `${sizes}`);
    for (const part of [train, held])
      for (const [i, id] of part.ids.entries()) {
        assert.equal(part.labels[i], id % 10);
        assert.deepEqual([...part.images.subarray(2 * i, 2 * i + 2)], [id, id]);
      }
    const again = await loadDataset({ ...options, split: 'validation' });
    assert.deepEqual(again.ids, held.ids);
  }
  const [zero, one] = await Promise.all(
    [0, 1].map((validationSeed) =>
      loadDataset({ name: 'mnist', dir, split: 'validation', validation: 40, validationSeed }),
    ),
  );
  assert.notDeepEqual(zero!.ids, one!.ids);
});

test('impossible amounts for validation are refused', async () => {
  for (const validation of [-1, 200, 191, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    await assert.rejects(
      loadDataset({ name: 'mnist', dir, split: 'train', validation }),
      /from 0 to 190, or a fraction/,
    );
  for (const validation of [0, undefined])
    await assert.rejects(loadDataset({ name: 'mnist', dir, split: 'validation', validation }), InputError);
});

test('options that only folders have are refused elsewhere, not ignored', async () => {
  for (const option of [{ size: [8, 8] }, { resize: 'pad' }, { channels: 1 }, { testSeed: 1 }] as const)
    await assert.rejects(
      loadDataset({ name: 'mnist', dir, split: 'test', ...option }),
      /which only folders have, for mnist/,
    );
});

test('a set that is nowhere is refused with every way to get it', async () => {
  for (const name of dataNames.filter((other) => !['folder', 'imagenet', 'fashion-mnist'].includes(other)))
    await assert.rejects(loadDataset({ name, split: 'test', download: false }), (error) => {
      assert.ok(error instanceof InputError && error.code === 'data-not-found');
      assert.match(error.message, new RegExp(`data/${name} .*Download https://\\S+ .*which folder has them`));
      return true;
    });
  await assert.rejects(loadDataset({ name: 'mnist', split: 'test', dir: root }), (error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /without t10k-images-idx3-ubyte\.gz and t10k-labels-idx1-ubyte\.gz/);
    return true;
  });
});

test('the versions of CIFAR for Python and Matlab are told apart from the binary one that is read', async () => {
  for (const [name, found, version] of [
    ['cifar10', 'batches.meta', 'Python'],
    ['cifar10', 'cifar-10-batches-py', 'Python'],
    ['cifar10', 'cifar-10-python.tar.gz', 'Python'],
    ['cifar10', 'data_batch_1.mat', 'Matlab'],
    ['cifar100', 'cifar-100-python', 'Python'],
    ['cifar100', 'meta', 'Python'],
    ['cifar100', 'cifar-100-matlab.tar.gz', 'Matlab'],
  ] as const) {
    const place = mkdtempSync(join(root, 'cifar-'));
    writeFileSync(join(place, found), '');
    await assert.rejects(loadDataset({ name, dir: place, split: 'test' }), (error) => {
      assert.ok(error instanceof InputError);
      assert.ok(
        error.message.includes(`its version for ${version} (${found}). Download https://`),
        error.message,
      );
      assert.match(error.message, /the binary version of cifar100? \(cifar-100?-binary\.tar\.gz\)/);
      return true;
    });
  }
});

test('MNIST is found where torchvision puts it below its folder', async () => {
  for (const below of ['raw', join('MNIST', 'raw'), join('FashionMNIST', 'raw')]) {
    const place = mkdtempSync(join(root, 'below-'));
    mnistIn(join(place, below));
    assert.equal((await loadDataset({ name: 'mnist', dir: place, split: 'test' })).ids.length, 20);
  }
});

test('data/NAME under the working directory is found', async () => {
  const own = mnistIn(join(root, 'data', 'mnist'));
  const found = await loadDataset({ name: 'mnist', split: 'test', download: false });
  assert.equal(found.ids.length, 20);
  rmSync(join(own, 't10k-labels.idx1-ubyte'));
  await assert.rejects(loadDataset({ name: 'mnist', split: 'test', download: false }), (error) => {
    assert.ok(error instanceof InputError);
    assert.equal(error.message.includes('t10k-images'), false, 'only what is missing is asked for');
    return true;
  });
  rmSync(own, { recursive: true });
});

const fashion = '/usr/share/datasets/fashion-mnist';

test('Fashion-MNIST of the Debian package is found and whole', { skip: !existsSync(fashion) }, async () => {
  for (const [split, each] of [
    ['train', 6000],
    ['test', 1000],
  ] as const) {
    const data = await loadDataset({ name: 'fashion-mnist', split, download: false });
    assert.deepEqual(classCounts(data.labels, 10), new Array(10).fill(each));
    assert.deepEqual(data.shape, [1, 28, 28]);
    assert.equal(data.images.length, 10 * each * 784);
    assert.equal(data.classes[data.labels[0]!], 'Ankle boot');
  }
});

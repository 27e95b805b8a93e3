import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDataName } from '../../src/data/dataset-names.js';
import { InputError } from '../../src/errors.js';

function refusal(action: () => unknown, pattern: RegExp): void {
  assert.throws(action, (error) => error instanceof InputError && pattern.test(error.message));
}

test('names read with and without a split, and unknown ones list what there is', () => {
  assert.deepEqual(parseDataName('fashion-mnist:train'), { name: 'fashion-mnist', split: 'train' });
  assert.deepEqual(parseDataName('folder'), { name: 'folder', split: 'test' });
  assert.deepEqual(parseDataName('mnist', 'validation'), { name: 'mnist', split: 'validation' });
  refusal(
    () => parseDataName('svhn'),
    /one of fashion-mnist, mnist, cifar10, cifar100, folder, imagenet .* 'svhn'/,
  );
  for (const text of ['mnist:val', 'mnist:', 'mnist:test:test', 'mnist:Test'])
    refusal(() => parseDataName(text), /one of train, validation, test for the split of mnist/);
  refusal(() => parseDataName('CIFAR-10'), /received 'CIFAR-10'\. Did you mean 'cifar10'\?/);
  refusal(() => parseDataName('folder:val'), /received 'val'\. Did you mean 'validation'\?/);
  refusal(() => parseDataName('imagenet:val'), /received 'val'\. ImageNet's val is called test here\./);
  refusal(() => parseDataName('imagenet:robustbench'), /Did you mean 'robustbench-5000'\?/);
  for (const text of ['', ':test', 'toString', '__proto__'])
    refusal(() => parseDataName(text), /one of fashion-mnist/);
});

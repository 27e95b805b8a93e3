import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cifar10Files, cifar100Files, fashionFiles, mnistFiles } from '../../src/data/public-files.js';

test('every public file has an address and a digest of the right length', () => {
  const files = [mnistFiles, fashionFiles, cifar10Files, cifar100Files].flatMap((set) => Object.entries(set));
  assert.equal(files.length, 10);
  for (const [name, { url, digest }] of files) {
    assert.equal(new URL(url).pathname.split('/').at(-1), name);
    assert.match(digest, /^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$/);
  }
  assert.equal(new Set(files.map(([, { digest }]) => digest)).size, 10);
});

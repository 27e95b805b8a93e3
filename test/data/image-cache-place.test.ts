import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { imageCachePlace } from '../../src/data/image-cache-place.js';

it('decoded images are kept in the user’s cache folder, or where the environment says, or nowhere', () => {
  const usual = process.platform === 'darwin' ? ['Library', 'Caches'] : ['.cache'];
  const own = join(homedir(), ...usual, 'satin', 'images');
  assert.deepEqual(imageCachePlace({}), { folder: own, limit: 8e9 });
  assert.equal(imageCachePlace({ XDG_CACHE_HOME: '/caches' })?.folder, '/caches/satin/images');
  assert.equal(imageCachePlace({ XDG_CACHE_HOME: 'relative' })?.folder, own);
  assert.deepEqual(imageCachePlace({ SATIN_IMAGE_CACHE: '~/kept', SATIN_IMAGE_CACHE_GB: '0.5' }), {
    folder: join(homedir(), 'kept'),
    limit: 5e8,
  });
  assert.equal(imageCachePlace({ SATIN_IMAGE_CACHE: 'off', SATIN_IMAGE_CACHE_GB: 'x' }), null);
});

it('a limit is a number above 0', () => {
  for (const size of ['0', '-1', 'much', 'Infinity', 'NaN'])
    assert.throws(
      () => imageCachePlace({ SATIN_IMAGE_CACHE_GB: size }),
      /Expected a number of gigabytes above 0 for SATIN_IMAGE_CACHE_GB/,
    );
});

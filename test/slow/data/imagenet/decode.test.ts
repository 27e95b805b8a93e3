/**
 * Photographs have torchvision's pixels, decoding included. Where SATIN_PHOTOS names a folder of ImageNet's `val` and
 * SATIN_PYTHON a Python with torchvision.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folderImages } from '../../../../src/data/imagenet/class-folders.js';
import { centreView } from '../../../../src/data/imagenet/crop.js';
import { decodeView } from '../../../../src/data/imagenet/decode.js';

const { SATIN_PHOTOS: photos, SATIN_PYTHON: python } = process.env;
const script = fileURLToPath(new URL('../../../../../scripts/golden/imagenet_pixels.py', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'satin-pixels-'));
after(() => rmSync(folder, { recursive: true }));

const area = 3 * 224 * 224;

it('photographs have torchvision’s pixels: off by a tenth of a byte on average at most', {
  skip: photos === undefined || python === undefined ? 'SATIN_PHOTOS or SATIN_PYTHON is not set' : false,
}, async (context) => {
  const file = join(folder, 'pixels.bin');
  const theirs = spawnSync(python!, [script, photos!, file], { encoding: 'utf8' });
  assert.equal(theirs.status, 0, theirs.stderr);
  const expected = readFileSync(file);
  const images = await folderImages(photos!, { name: 'imagenet:test' });
  assert.equal(expected.length, images.labels.length * area);
  let [equal, most] = [0, 0];
  for (const id of images.labels.keys()) {
    const target = new Uint8Array(area);
    await decodeView(await images.read(id), {
      viewOf: (size) => centreView(size, { resize: 256, size: 224 }),
      filter: 'bilinear',
      decoding: 'exact',
      target,
      offset: 0,
    });
    const sum = target.reduce((total, value, at) => total + Math.abs(value - expected[id * area + at]!), 0);
    if (sum === 0) equal += 1;
    most = Math.max(most, sum / area);
  }
  const all = images.labels.length;
  context.diagnostic(
    `${theirs.stdout.trim()}: ${equal} of ${all} equal, mean differences up to ${most} of 255`,
  );
  assert.ok(most <= 0.1, `${most}`);
});

/**
 * Photographs have the pixels of the paper's released code: crops resized by OpenCV's INTER_CUBIC, then tensorpack's colours.
 * Where SATIN_PHOTOS names a folder of ImageNet's `val` and SATIN_PYTHON a Python with opencv-python-headless and
 * tensorpack.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folderImages } from '../../../../src/data/imagenet/class-folders.js';
import { colourChange, colourDraws } from '../../../../src/data/imagenet/colour-draws.js';
import { randomView, viewDraws } from '../../../../src/data/imagenet/crop.js';
import { decodeView } from '../../../../src/data/imagenet/decode.js';
import { tensorpackColours } from '../../../../src/data/imagenet/tensorpack-colours.js';
import { tensor } from '../../../../src/tensor/create.js';
import { noise } from '../../../../src/tensor/noise.js';
import { sizeOfJpeg } from '../../../../src/tensor/resample.js';

const { SATIN_PHOTOS: photos, SATIN_PYTHON: python } = process.env;
const script = fileURLToPath(
  new URL('../../../../../scripts/golden/opencv_tensorpack_photos.py', import.meta.url),
);
const folder = mkdtempSync(join(tmpdir(), 'satin-tensorpack-'));
after(() => rmSync(folder, { recursive: true }));

const size = 224;
const area = 3 * size * size;
const crops = 4; // of each photograph
const options = { brightness: 0.4, contrast: 0.4, saturation: 0.4, lighting: 0.1 };

it('photographs have the bytes of OpenCV and tensorpack, resized and coloured, off by 1 at most', {
  skip: photos === undefined || python === undefined ? 'SATIN_PHOTOS or SATIN_PYTHON is not set' : false,
}, async (context) => {
  const images = await folderImages(photos!, { name: 'imagenet:test' });
  const ids = [...images.labels.keys()].filter(
    (id) => id % Math.max(1, Math.floor(images.labels.length / 10)) === 0,
  );
  const requests: object[] = [];
  const ours: { resized: Uint8Array; draws: Float64Array }[] = [];
  for (const id of ids) {
    const encoded = await images.read(id);
    if (sizeOfJpeg(encoded) === null) continue; // CMYK, of which OpenCV makes another red, green and blue
    for (let crop = 0; crop < crops; crop++) {
      const key = { seed: crop, stream: 'bench' } as const;
      using drawn = noise('uniform', { key, ids: [id], shape: [viewDraws + colourDraws], dtype: 'float64' });
      const numbers = drawn.numbers();
      const resized = new Uint8Array(area);
      let box: readonly number[] = [];
      await decodeView(encoded, {
        viewOf: (original) => {
          const crop = { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] } as const;
          const view = randomView(original, { ...crop, size, flip: false, draws: numbers });
          box = [view.box.top, view.box.left, view.box.height, view.box.width];
          return view;
        },
        filter: 'opencv-cubic',
        decoding: 'exact',
        target: resized,
        offset: 0,
      });
      const draws = numbers.subarray(viewDraws);
      requests.push({ file: images.nameOf(id), box, size, ...colourChange(options, draws) });
      ours.push({ resized, draws });
    }
  }
  assert.ok(requests.length >= 10 * crops - crops, `${requests.length}`);
  const [asked, file] = [join(folder, 'requests.json'), join(folder, 'pixels.bin')];
  writeFileSync(asked, JSON.stringify(requests));
  for (const mode of [[], ['ipp']]) {
    const theirs = spawnSync(python!, [script, asked, file, ...mode], { encoding: 'utf8' });
    assert.equal(theirs.status, 0, theirs.stderr);
    const expected = readFileSync(file);
    const of = (at: number, which: 0 | 1) =>
      expected.subarray((2 * at + which) * area, (2 * at + which + 1) * area);
    const found = { resized: { most: 0, off: 0 }, coloured: { most: 0, off: 0 } };
    const compare = (what: keyof typeof found, own: ArrayLike<number>, other: Uint8Array) => {
      for (let at = 0; at < area; at++) {
        const difference = Math.abs(own[at]! - other[at]!);
        if (difference > 0) found[what].off += 1;
        found[what].most = Math.max(found[what].most, difference);
      }
    };
    for (const [at, { resized, draws }] of ours.entries()) {
      compare('resized', resized, of(at, 0));
      // From the same bytes: a difference of the resizing is not that of the colours.
      const same = tensor(new Uint8Array(of(at, 0)), [1, 3, size, size]);
      using coloured = tensorpackColours(same, options, [draws]);
      compare('coloured', coloured.numbers(), of(at, 1));
      same.dispose();
    }
    const percent = ({ off }: { off: number }) => ((100 * off) / (ours.length * area)).toFixed(3);
    context.diagnostic(
      `${theirs.stdout.trim()}${mode.length > 0 ? ' with IPP' : ''}, ${ours.length} crops of ${ids.length} photographs: resized ${percent(found.resized)} % off by ${found.resized.most} at most, coloured ${percent(found.coloured)} % by ${found.coloured.most}`,
    );
    assert.ok(found.resized.most <= 1 && found.coloured.most <= 1, JSON.stringify(found));
  }
});

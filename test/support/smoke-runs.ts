import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { trainRun } from '../../src/app/train/train-run.js';
import { cifar10 } from '../../src/data/cifar.js';
import { loadRecipe, recipeNames } from '../../src/recipe/load-recipe.js';
import { readEvents } from '../../src/runs/event-log.js';

/** The recipes of ImageNet and CIFAR-10. */
/** Those that cite others: not the networks of the quickstart. */
export const paperRecipes = recipeNames().filter(
  (name) => !/^fashion-mnist-|^cifar10-(relu|silu)$/.test(name),
);

/** The larger relatives of others, and ReLU's beside SiLU's: they are of the same parts, and only the slow tests train them. */
export const isScaled = (name: string) =>
  /resnet50-relu|resnet1|resnext(152|50-32x8d)|-(299|380)$|efficientnet-(b[1-7]|l1)|wideresnet/.test(name);

/** Trains the smoke variants of recipes, on images that are made here. */
export function smokeRuns(names: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'satin-paper-recipes-'));
  after(() => rmSync(folder, { recursive: true }));
  const dirs = { imagenet: join(folder, 'imagenet'), cifar10: join(folder, 'cifar10') };

  /** Numbers that look like noise. */
  const pixels = (count: number, seed: number) =>
    Uint8Array.from({ length: count }, (_, at) => ((at + 1) * (seed * 2 + 1) * 40_503) >> 7);

  before(async () => {
    for (const [label, synset] of ['n01440764', 'n01443537', 'n02099601', 'n03000684'].entries()) {
      mkdirSync(join(dirs.imagenet, 'train', synset), { recursive: true });
      mkdirSync(join(dirs.imagenet, 'val', synset), { recursive: true });
      for (let image = 0; image < 6; image++) {
        const raw = { width: 40, height: 36, channels: 3 } as const;
        await sharp(pixels(40 * 36 * 3, 6 * label + image), { raw })
          .jpeg()
          .toFile(join(dirs.imagenet, image < 5 ? 'train' : 'val', synset, `${synset}_${image}.JPEG`));
      }
    }
    // All five files are one, so that little is written.
    mkdirSync(dirs.cifar10);
    const record = pixels(cifar10.examplesPerFile.train * 3073, 5);
    for (let at = 0; at < record.length; at += 3073) record[at] = (at / 3073) % 10;
    const [first, ...others] = cifar10.train.map((name) => join(dirs.cifar10, name));
    writeFileSync(first!, record);
    for (const other of others) linkSync(first!, other);
    writeFileSync(join(dirs.cifar10, cifar10.names), 'a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n');
  });

  describe('a smoke run', () => {
    for (const name of names)
      it(`of ${name} trains and is measured`, async () => {
        const dir = name.startsWith('imagenet-') ? dirs.imagenet : dirs.cifar10;
        const recipe = loadRecipe(name, { smoke: true, set: [`data.dir=${dir}`] });
        const path = join(folder, name);
        await trainRun({ recipe, path, resume: false, interrupted: () => false, onEvent: () => {} });
        const events = readEvents(path);
        const steps = events.flatMap((event) => (event.type === 'step' ? [event] : []));
        assert.ok(steps.length >= 2 && steps.every(({ loss }) => Number.isFinite(loss)));
        assert.equal(events.at(-1)!.type, 'end');
      });
  });
}

/** The settings of ImageNet's pixels, and what is refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '../../src/errors.js';
import { parseRecipe } from '../../src/recipe/recipe.js';

type Section = Readonly<Record<string, unknown>>;

function read(data: Section) {
  const recipe = {
    name: 'minimal',
    data: { name: 'imagenet', dir: 'data/imagenet', ...data },
    model: { name: 'resnet50', activation: 'silu' },
    threat: { norm: 'linf', epsilon: '4/255' },
    training: {
      objective: 'clean',
      epochs: 3,
      batch: 12,
      schedule: { name: 'constant', learningRate: 0.1 },
    },
  };
  const { data: found } = parseRecipe(recipe, 'test');
  assert.ok(found.name === 'imagenet');
  return found;
}

function refuses(data: Section, message: RegExp): void {
  assert.throws(
    () => read(data),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      return true;
    },
  );
}

describe('ImageNet’s pixels', () => {
  it('are torchvision’s unless others are asked for', () => {
    const { filter, augment } = read({});
    assert.deepEqual([filter, augment.colours], ['bilinear', 'continuous']);
  });

  it('are those of the released code with OpenCV’s filter and tensorpack’s colours', () => {
    const data = { filter: 'opencv-cubic', augment: { contrast: 0.4, colours: 'tensorpack' } };
    const { filter, augment } = read(data);
    assert.deepEqual([filter, augment.colours], ['opencv-cubic', 'tensorpack']);
  });

  it('are refused where a setting would have no effect, or not the one that it says', () => {
    refuses({ augment: { colours: 'tensorpack' } }, /data\.augment\.colours: .*no effect\. Leave it out/);
    refuses({ augment: { colours: 'opencv' } }, /'continuous' or 'tensorpack' for data\.augment\.colours/);
    refuses(
      { filter: 'opencv-cubic', decoding: 'fast' },
      /data\.decoding: fast shrinks with antialiasing.*Use exact/,
    );
    refuses({ filter: 'cubic' }, /'bilinear', 'bicubic' or 'opencv-cubic' for data\.filter/);
    refuses({ size: 224, resize: 200 }, /data\.resize: 200 is less than the crop size of 224/);
  });
});

/** A model that answers at random is judged by most of 20 passes, as it is and under attack. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluateRun } from '../../src/app/evaluate/evaluate-run.js';
import { functionModel } from '../../src/app/model/open-model.js';
import { parseAttack } from '../../src/attacks/attack.js';
import { norms } from '../../src/attacks/norms.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import { setThreads } from '../../src/engine/engine-info.js';
import { evaluate } from '../../src/evaluation/evaluate.js';
import { misclassified, verdictPasses } from '../../src/evaluation/misclassified.js';
import type { Classifier } from '../../src/nn/classifier.js';
import { cat, tensor } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { dots } from '../support/dots.js';

setThreads(1);

/** Of class 1 where the pixel is above 0.55 or luck has it; `unlucky` is asked for each pass and image. */
function moody(unlucky: (pass: number, row: number) => boolean): Classifier {
  let pass = 0;
  return (x) => {
    const pixel = x.flatten(1); // [N, 1]
    const now = pass++;
    const misses = Float32Array.from({ length: x.dimension(0) }, (_, row) => (unlucky(now, row) ? 1 : 0));
    const logit = pixel.sub(0.55).add(tensor(misses, [misses.length, 1]));
    return cat([logit.neg(), logit], 1);
  };
}

/** Unlucky in three passes of ten, not for all images in the same ones. */
const threeOfTen = (pass: number, row: number) => (7 * pass + 3 * row) % 10 < 3;

describe('the judgement of a random model', () => {
  const misses = (count: number, random: boolean) =>
    scope(() => {
      const x = tensor(Float32Array.of(0.5, 0.5, 0.6), [3, 1, 1, 1]);
      // Image 0 is unlucky in the last `count` of 20 passes; image 2 is wrong by itself.
      const classify = moody((pass, row) => row === 0 && pass >= verdictPasses - count);
      return misclassified(classify, x, { labels: [0, 0, 0], random }).rows;
    });

  it('is wrong where more than half of 20 passes are; a tie speaks for it', () => {
    assert.equal(verdictPasses, 20);
    assert.deepEqual(misses(10, true), [2]);
    assert.deepEqual(misses(11, true), [0, 2]);
  });

  it('is that of the one pass for any other model', () => {
    assert.deepEqual(misses(20, false), [0, 2]);
    assert.deepEqual(misses(19, false), [2]);
  });
});

describe('an evaluation of a random model', () => {
  const options = {
    attacks: [parseAttack('pgd-4-3')],
    threat: { norm: norms.linf, epsilon: 0.02 },
    seed: 0,
    batch: 16,
  };
  const measure = async (random: boolean, epsilon = 0.02) => {
    using data = new DatasetTensors(dots(40));
    const classify = moody(threeOfTen);
    const { clean, robust, adversarial } = await evaluate({ exact: classify, fast: classify, random }, data, {
      ...options,
      threat: { norm: norms.linf, epsilon },
    });
    return { clean, robust, adversarial };
  };

  it('counts no single miss, neither as it is nor under attack', async () => {
    const { clean, robust } = await measure(true);
    assert.deepEqual({ clean, robust }, { clean: 1, robust: 1 });
    const hasty = await measure(false);
    assert.ok(hasty.clean > 0.6 && hasty.clean < 0.8, `clean ${hasty.clean}`);
    assert.ok(hasty.robust < 0.3, `robust ${hasty.robust}`);
  });

  it('finds what is wrong in most passes', async () => {
    const { clean, robust, adversarial } = await measure(true, 0.1);
    assert.deepEqual({ clean, robust }, { clean: 1, robust: 0 });
    for (const [, image] of adversarial) assert.ok(image[0]! > 0.55);
  });

  it('counts the passes that judge', async () => {
    using data = new DatasetTensors(dots(10));
    const classify = moody(() => false);
    const found = await evaluate({ exact: classify, fast: classify, random: true }, data, {
      ...options,
      attacks: [parseAttack('fgsm')],
      threat: { norm: norms.linf, epsilon: 0.1 },
    });
    // the image and one step for all ten, then 20 passes of each
    assert.equal(found.attacks[0]!.forwards, 10 + 10 + 10 * verdictPasses);
    assert.equal(found.attacks[0]!.broken, 10);
  });

  it('is what a run makes of it by itself, and says so by a flag', async () => {
    const run = async (classify: Classifier) => {
      const { result } = await evaluateRun({
        model: functionModel({ name: 'moody', classify }),
        data: dots(40),
        attacks: ['pgd-4-3'],
        norm: 'linf',
        epsilon: { epsilon: 0.02, epsilonText: '0.02' },
        seed: 0,
        batch: 16,
        interrupted: () => false,
      });
      return { clean: result.clean, robust: result.robust, flags: result.flags.map(({ code }) => code) };
    };
    assert.deepEqual(await run(moody(threeOfTen)), { clean: 1, robust: 1, flags: ['random-model'] });
    assert.deepEqual(await run(moody(() => false)), { clean: 1, robust: 1, flags: [] });
  });
});

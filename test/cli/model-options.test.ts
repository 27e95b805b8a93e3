/** What is typed of a model of another program, read and refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type ExternalWords,
  parseExternalDescription,
  parsePreprocessing,
} from '../../src/cli/model-options.js';
import type { InputError } from '../../src/errors.js';
import { form, refuses, words } from '../support/foreign-weights.js';

describe('the network of weights', () => {
  it('is null where nothing is typed', () => {
    assert.equal(parseExternalDescription({}), null);
    assert.deepEqual(form.shape, [3, 8, 8]);
  });

  it('has the padding and the ε of TensorFlow on request, and no other trace of the usual ones', () => {
    const network = { ...words, architecture: 'efficientnet-b0' };
    const { padding, normEpsilon } = parseExternalDescription({
      ...network,
      padding: 'same',
      normEpsilon: '1e-3',
    })!;
    assert.deepEqual([padding, normEpsilon], ['same', 0.001]);
    const usual = { ...network, padding: 'symmetric', normEpsilon: '1e-5' } as const;
    assert.deepEqual(parseExternalDescription(usual), parseExternalDescription(network));
  });

  const wrong: readonly (readonly [ExternalWords, RegExp])[] = [
    [{ padding: 'same' }, /symmetric, as resnet8 is padded, for --padding but received 'same'/],
    [{ normEpsilon: '0' }, /a number above 0, such as 1e-3, for --norm-epsilon but received '0'/],
    [{ normEpsilon: 'x' }, /--norm-epsilon but received 'x'/],
    [{ architecture: 'resnet9' }, /--architecture but received 'resnet9'\. Did you mean 'resnet8'\?/],
    [{ architecture: undefined }, /--architecture but nothing was given/],
    [{ activation: undefined }, /--activation/],
    [{ activation: 'swish' }, /activation but received 'swish'/],
    [{ classes: '1' }, /at least 2, or names .* for --classes but received '1'/],
    [{ classes: 'a,,b' }, /--classes/],
    [{ classes: 'a,a' }, /distinct names for --classes/],
    [{ classes: undefined }, /--classes/],
    [{ shape: '8x8' }, /such as 3x32x32, for --shape but received '8x8'/],
    [{ shape: undefined }, /--shape/],
    [{ width: '0' }, /a number above 0 for --width/],
  ];
  for (const [change, sentence] of wrong)
    it(`is checked: ${JSON.stringify(change)}`, () =>
      refuses(() => parseExternalDescription({ ...words, ...change }), sentence));
});

describe('the preprocessing of a model', () => {
  it('is null where nothing is typed', () => {
    assert.equal(parsePreprocessing({}), null);
    assert.deepEqual(parsePreprocessing({ inputRange: '-1,1', mean: '0.5, -0.5', std: '0.25,2' }), {
      range: [-1, 1],
      normalise: { mean: [0.5, -0.5], std: [0.25, 2] },
    });
  });

  for (const [options, sentence] of [
    [{ inputRange: '0,2' }, /one of 0,1 -1,1 0,255 for --input-range but received '0,2'/],
    [{ mean: '0.5' }, /for --std but nothing was given\. --mean and --std must be given together/],
    [{ std: '1,2' }, /for --mean but nothing was given/],
    [{ mean: '0.5,x', std: '1,1' }, /numbers separated by commas, one per channel, for --mean/],
    [{ mean: '0.5,', std: '1,1' }, /for --mean but received '0.5,'/],
    [{ mean: '0.5,0.5', std: '1' }, /2 numbers, as many as in `mean`, for `std`/],
    [{ mean: '0.5', std: '0' }, /numbers above 0 for `std`/],
    [{ mean: '123.7', std: '58.4' }, /numbers from 0 to 1, the range of the input, for `mean`/],
  ] as const)
    it(`is refused: ${JSON.stringify(options)}`, () => {
      assert.throws(
        () => parsePreprocessing(options),
        (error: InputError) => {
          assert.match(error.message, sentence);
          return error.exitCode === 2;
        },
      );
    });
});

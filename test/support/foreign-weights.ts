/** The golden files of weights that PyTorch wrote, and what all of them hold. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseExternalDescription } from '../../src/cli/model-options.js';
import { InputError } from '../../src/errors.js';
import { type NamedArray, readSafetensors } from '../../src/weights/safetensors.js';

const folder = fileURLToPath(new URL('../../../test/golden/state-dicts/', import.meta.url));
export const file = (name: string) => join(folder, name);

export const words = {
  architecture: 'resnet8',
  activation: 'relu',
  classes: 'a,b,c',
  shape: '3x8x8',
  width: '0.0625',
} as const;
export const form = parseExternalDescription(words)!;
export const normalise = { mean: [0.5, 0.4375, 0.375], std: [0.25, 0.25, 0.5] };
/** What all files hold, each in its way. */
export const tiny = readSafetensors(file('tiny.safetensors'));

export const bits = (arrays: readonly NamedArray[]) =>
  new Map(
    arrays.map(({ bytes, ...array }) => [
      array.name,
      { ...array, bytes: Buffer.from(bytes).toString('hex') },
    ]),
  );

export const refuses = (body: () => unknown, sentence: RegExp) =>
  assert.throws(body, (error) => {
    assert.ok(error instanceof InputError, error instanceof Error ? error.stack : String(error));
    assert.match(error.message, sentence);
    return true;
  });

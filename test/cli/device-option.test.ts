import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from '@commander-js/extra-typings';
import { chooseStatedDevice, deviceOption, precisionOption } from '../../src/cli/device-option.js';
import { chooseDevice } from '../../src/engine/device.js';
import { InputError } from '../../src/errors.js';

const parsed = (...words: readonly string[]) =>
  new Command()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .addOption(deviceOption())
    .addOption(precisionOption())
    .parse(words, { from: 'user' })
    .opts();

describe('--device and --precision', () => {
  it('take what there is, and leave the default to the engine', () => {
    assert.deepEqual(parsed('--device', 'cuda:1', '--precision', 'tf32'), {
      device: 'cuda:1',
      precision: 'tf32',
    });
    assert.deepEqual(parsed(), {});
  });

  it('refuse the rest before the engine is loaded', () => {
    assert.throws(() => parsed('--device', 'gpu'), InputError);
    assert.throws(() => parsed('--precision', 'float16'), /Allowed choices are float32, tf32, bfloat16/);
  });

  it('say where and in which precision', async () => {
    const lines: string[] = [];
    const say = (sentence: string) => lines.push(sentence);
    assert.equal(await chooseStatedDevice({ device: undefined, threads: 1, say }), chooseDevice());
    await chooseStatedDevice({ device: 'cpu', threads: 2, precision: 'bfloat16', say });
    assert.match(lines[0]!, /^On .+, float32\.$/);
    assert.equal(lines[1], "On cpu (2 threads), attacks search in bfloat16, verdicts are float32's.");
  });
});

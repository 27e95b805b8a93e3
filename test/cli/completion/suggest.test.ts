import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commands } from '../../../src/cli/commands/commands.js';
import { suggest } from '../../../src/cli/completion/suggest.js';
import { isLoaded } from '../../../src/engine/native.js';
import { recipeNames } from '../../../src/recipe/load-recipe.js';

/** The values that are suggested for the last word of a line after `satin`. */
async function suggested(...words: string[]): Promise<string[]> {
  return (await suggest(words, commands)).map(({ value }) => value);
}

describe('what may be next', () => {
  it('is a command, with its summary', async () => {
    assert.deepEqual(await suggested(''), [...Object.keys(commands), 'help']);
    assert.deepEqual(await suggest(['tra'], commands), [{ value: 'train', about: commands.train!.summary }]);
    assert.deepEqual(await suggested('help', 'pub'), ['publish']);
    assert.deepEqual(await suggested('--h'), ['--help']);
    assert.deepEqual(await suggested('nonsense', ''), []);
  });

  it('is an option of the command, and no hidden or foreign one', async () => {
    const options = await suggested('train', 'x', '--');
    assert.ok(options.includes('--set') && options.includes('--help') && !options.includes('--norm'));
    assert.deepEqual(await suggested('evaluate', '--require'), ['--require-robust']);
  });

  it('is the value of the option before it, or inside the word', async () => {
    assert.deepEqual(await suggested('evaluate', '--norm', ''), ['linf', 'l2', 'l1']);
    assert.deepEqual(await suggested('evaluate', '--norm=l'), ['--norm=linf', '--norm=l2', '--norm=l1']);
    assert.deepEqual(await suggested('evaluate', '--attack', 'pgd-5'), ['pgd-50']);
    assert.deepEqual(await suggested('evaluate', '--data', 'cifar100'), []);
    assert.deepEqual(await suggested('evaluate', '--data', 'cifar10'), ['cifar100']);
    assert.deepEqual(await suggested('export', 'x', '--architecture', 'resnet15'), ['resnet152']);
    assert.deepEqual(await suggested('predict', 'x', '--activation', 'mi'), ['mish']);
    assert.deepEqual(await suggested('train', 'x', '--set', 'training.pat'), ['training.patience=']);
    assert.deepEqual(await suggested('train', 'x', '--set=training.objective=tr'), [
      '--set=training.objective=trades',
    ]);
    assert.deepEqual(await suggested('train', 'x', '--device', 'c'), ['cpu', 'cuda']);
  });

  it('is an argument, after values of options too; nothing where it is a file, or there is no further one', async () => {
    assert.deepEqual(await suggested('train', ''), recipeNames());
    assert.deepEqual(await suggested('train', '--set', 'a=1', '--smoke', 'cifar10-s'), ['cifar10-silu']);
    assert.deepEqual(await suggested('train', 'cifar10-silu', ''), []);
    assert.deepEqual(await suggested('list', 'r'), ['recipes']);
    assert.deepEqual(await suggested('evaluate', ''), []);
    assert.deepEqual(await suggested('train', '--out', 'c'), []);
    assert.deepEqual(await suggested('train', '--', '--'), []);
  });

  it('is known without the engine', () => assert.equal(isLoaded(), false));
});

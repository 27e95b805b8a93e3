/** The sanity checks from two untrained-to-trained networks to their page: real processes, real attacks, nothing done twice. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { writeSanity } from '../../../../studies/sanity/page.js';
import { readAllChecks, runSanity, smokePlan } from '../../../../studies/sanity/run-sanity.js';
import { tinyRecipe, writeTinyMnist } from '../../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-sanity-'));
after(() => rmSync(folder, { recursive: true }));
writeTinyMnist(join(folder, 'mnist'));
const recipe = join(folder, 'recipe.yaml');
writeFileSync(recipe, JSON.stringify(tinyRecipe(join(folder, 'mnist'))));
const out = join(folder, 'out');
const options = {
  recipe,
  smoke: false,
  seeds: 1,
  examples: 4,
  folder: out,
  device: 'cpu',
  threads: 1,
  plan: smokePlan,
  signal: new AbortController().signal,
};

it('measures each network and writes the page from what was measured', async () => {
  const seen: string[] = [];
  await runSanity({ ...options, onNetwork: ({ activation }) => void seen.push(activation) });
  assert.deepEqual(seen, ['relu', 'silu']);
  const [relu, silu] = readAllChecks(out);
  for (const [one, other] of [
    [relu!, 'silu'],
    [silu!, 'relu'],
  ] as const) {
    assert.deepEqual(
      one.radii.map(({ text }) => text),
      ['0', '0.1', '0.8'],
    );
    assert.equal(one.radii[0]!.robust, one.clean);
    assert.ok(one.radii[2]!.robust <= one.radii[1]!.robust);
    assert.deepEqual(
      one.transfer.map(({ from }) => from),
      [other],
    );
    assert.ok(one.transfer[0]!.fooled <= one.transfer[0]!.images);
    const { at, loss } = one.surface;
    assert.deepEqual([at.length, loss.length, loss[0]!.length], [3, 3, 3]);
    // Small networks are nearly linear within ε: the loss rises along its gradient, and falls against it.
    assert.ok(loss[1]![2]! > loss[1]![1]! && loss[1]![0]! < loss[1]![1]!);
  }
  const page = await writeSanity(out, { command: './satin study sanity', scale: 'rows and columns' });
  const text = readFileSync(page!, 'utf8');
  assert.match(text, /\| silu, seed 0 \| \d+\.\d % \| \d+\.\d % \| \d+\.\d % \|/);
  for (const name of ['radii-light', 'radii-dark', 'surface-light', 'surface-dark'])
    assert.ok(existsSync(join(out, 'sanity', `${name}.svg`)), name);

  const file = join(out, 'sanity', `${relu!.name}.json`);
  const before = statSync(file).mtimeMs;
  await runSanity({ ...options, onNetwork: () => {} });
  assert.equal(statSync(file).mtimeMs, before);
});

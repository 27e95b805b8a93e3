/** Which tests `node scripts/run-tests.mjs NAME` runs. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { packageFolder } from '../../src/provenance/package-folder.js';

interface TestNames {
  testNames(folder: string, without: readonly string[]): string[];
  meant(wanted: string, names: readonly string[]): { names: string[]; isAmbiguous: boolean };
}

// It runs before TypeScript is compiled, so it is JavaScript and lies outside dist/.
const { meant, testNames }: TestNames = await import(join(packageFolder, 'scripts', 'test-names.mjs'));

const names = [
  'attacks/apgd',
  'attacks/apgd.eot',
  'attacks/square/square',
  'errors',
  'report/page',
  'web/page',
];
const found = (wanted: string) => meant(wanted, names).names;

it('a path stands for a source with all its topics, for one topic, or for a folder', () => {
  assert.deepEqual(found('attacks/apgd'), ['attacks/apgd', 'attacks/apgd.eot']);
  assert.deepEqual(found('attacks/apgd.eot'), ['attacks/apgd.eot']);
  assert.deepEqual(found('attacks/'), ['attacks/apgd', 'attacks/apgd.eot', 'attacks/square/square']);
  assert.deepEqual(found('errors'), ['errors']);
});

it('the last part is enough where one source has it', () => {
  assert.deepEqual(meant('apgd', names), { names: ['attacks/apgd', 'attacks/apgd.eot'], isAmbiguous: false });
  assert.deepEqual(found('apgd.eot'), ['attacks/apgd.eot']);
  assert.deepEqual(meant('page', names), { names: ['report/page', 'web/page'], isAmbiguous: true });
  assert.deepEqual([found('apg'), found('attack'), found('')], [[], [], []]);
});

it('tests are found in every folder but those left out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'satin-tests-'));
  after(() => rmSync(folder, { recursive: true }));
  for (const part of ['a', 'slow/a']) mkdirSync(join(folder, part), { recursive: true });
  for (const file of ['b.test.ts', 'a/c.test.ts', 'a/c.two.test.ts', 'a/help.ts', 'slow/a/c.test.ts'])
    writeFileSync(join(folder, file), '');
  assert.deepEqual(testNames(folder, ['slow']), ['a/c', 'a/c.two', 'b']);
  assert.deepEqual(testNames(join(folder, 'slow'), []), ['a/c']);
  assert.deepEqual(testNames(join(folder, 'none'), []), []);
});

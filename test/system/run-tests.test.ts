/** Which tests `node scripts/run-tests.mjs NAME` runs, and which of them in one process. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { packageFolder } from '../../src/provenance/package-folder.js';

interface TestNames {
  testNames(folder: string, without: readonly string[]): string[];
  meant(wanted: string, names: readonly string[]): { names: string[]; isAmbiguous: boolean };
}

interface TestGroups {
  groupsOf(names: readonly string[], fileOf: (name: string) => string): string[][];
  fileOfGroup(group: readonly string[], fileOf: (name: string) => string, folder: string): string;
}

// They run before TypeScript is compiled, so they are JavaScript and lie outside dist/.
const { meant, testNames }: TestNames = await import(join(packageFolder, 'scripts', 'test-names.mjs'));
const { groupsOf, fileOfGroup }: TestGroups = await import(join(packageFolder, 'scripts', 'test-groups.mjs'));

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

describe('test files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'satin-groups-'));
  after(() => rmSync(folder, { recursive: true }));
  const fileOf = (name: string) => join(folder, 'test', `${name}.test.js`);
  const put = (name: string, source: string) => {
    mkdirSync(join(folder, 'test', name, '..'), { recursive: true });
    writeFileSync(fileOf(name), source);
    return name;
  };

  it('share a process, six at a time, but for those that start programs', () => {
    const plain = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => put(`nn/${name}`, ''));
    const apart = put('commands/train', '');
    const [first, ...others] = plain;
    assert.deepEqual(groupsOf([apart, ...plain], fileOf), [[apart], plain.slice(0, 6), plain.slice(6)]);
    assert.deepEqual(groupsOf([first!, apart, ...others], fileOf), [
      plain.slice(0, 6),
      [apart],
      plain.slice(6),
    ]);
    assert.equal(fileOfGroup([apart], fileOf, folder), fileOf(apart));
    const together = readFileSync(fileOfGroup(plain.slice(0, 2), fileOf, folder), 'utf8');
    assert.equal(
      together,
      plain
        .slice(0, 2)
        .map((name) => `import 'file://${fileOf(name)}';\n`)
        .join(''),
    );
  });

  it('have one of their own if they wait while they are loaded, or look at or change what the others share', () => {
    const plain = put(
      'nn/plain',
      "describe('x', () => {\n    before(async () => {\n        await 1;\n    });\n});\n",
    );
    mkdirSync(join(folder, 'test', 'support'), { recursive: true });
    writeFileSync(join(folder, 'test', 'support', 'made.js'), 'export const x = await make();\n');
    for (const [name, source] of Object.entries({
      awaits: 'const x = await 1;\n',
      loops: 'for (const x of [1]) {\n    await x;\n}\n',
      hooks: "it('x', () => {});\nbefore(() => {});\n",
      loaded: "it('x', () => {\n    assert.ok(!isLoaded());\n});\n",
      measures: "it('x', () => {\n    assert.ok(memoryInfo().peak < 1);\n});\n",
      mocks: "process.env.SATIN_MOCK_DEVICE = '1';\n",
      imports: "import { x } from '../support/made.js';\n",
    })) {
      const own = put(`nn/${name}`, source);
      assert.deepEqual(groupsOf([plain, own, plain], fileOf), [[plain, plain], [own]], name);
    }
  });
});

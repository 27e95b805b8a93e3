/** Whoever changes a source finds its test at the same path below test/, or in the table of test/held-by.ts. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { heldBy, heldByProcess } from '../held-by.js';
import { specifiersOf } from '../support/specifiers.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Paths below a folder without their ending, sorted. */
const namesIn = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending))
    .map((path) => path.slice(0, -ending.length))
    .sort();

const sources = namesIn('src', '.ts');
/** Those of the studies, whose tests lie below test/studies/. */
const studies = namesIn('studies', '.ts').map((name) => `studies/${name}`);
const pathOf = (source: string) => `${studies.includes(source) ? '' : 'src/'}${source}.ts`;
const tests = namesIn('test', '.test.ts');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** The source that a test lies beside: `attacks/apgd.eot`, and the same in slow/, is about `attacks/apgd`. */
const subject = (test: string) => test.replace(/^slow\//, '').replace(/\.[^/]*$/, '');
const mirrored = new Set(tests.filter((test) => !/^(slow|cuda)\//.test(test)).map(subject));

/** Whether there is more in a source than types: something that it exports, or does when it is loaded. */
function holdsLogic(text: string): boolean {
  const exported = [...text.matchAll(/^export (\w+|\{|\*)/gm)].map(([, word]) => word);
  return exported.length === 0 || exported.some((word) => word !== 'type' && word !== 'interface');
}

/** Every file that a file loads, through whatever lies between; what it takes only types of is not loaded. */
function reached(start: string, seen = new Set<string>()): ReadonlySet<string> {
  const loaded = read(start)
    .replace(/^(import|export) type\b[^;]*;/gm, '')
    .replace(/from 'satin'/g, `from '${relative(dirname(start), 'src/index.js')}'`);
  for (const target of specifiersOf(loaded)) {
    const path = join(dirname(start), target).replace(/\.js$/, '.ts');
    if (seen.has(path) || !existsSync(join(root, path))) continue;
    seen.add(path);
    reached(path, seen);
  }
  return seen;
}
const testFile = (name: string) => `test/${name}.test.ts`;
const loadedByTest = new Map(tests.map((name) => [name, reached(testFile(name))]));

/** What the processes load that a test, or what it shares with others, starts: the command line, and programs in support/. */
function loadedByProcesses(name: string): ReadonlySet<string> {
  const own = [testFile(name), ...(loadedByTest.get(name) ?? [])].filter((path) => path.startsWith('test/'));
  const texts = own.map(read);
  if (!texts.some((text) => text.includes("'node:child_process'"))) return new Set();
  const programs = namesIn('test/support', '.ts').filter((program) =>
    texts.some((text) => new RegExp(`new URL\\('[./]*(?:support/)?${program}\\.js'`).test(text)),
  );
  const starts = ['src/cli/main.ts', ...programs.map((program) => `test/support/${program}.ts`)];
  return new Set(starts.flatMap((start) => [start, ...reached(start)]));
}

describe('a source', () => {
  it('holds logic unless types are all that it exports', () => {
    assert.ok(!holdsLogic('export interface A {}\nexport type B = A;\n'));
    for (const text of [
      'export const a = 1;',
      'start();',
      "export * from './a.js';",
      'export interface A {}\nexport function b() {}',
    ])
      assert.ok(holdsLogic(text), text);
  });

  it('has a test at its own path, or a line that says which test holds it', () => {
    const open = sources
      .filter((name) => holdsLogic(read(`src/${name}.ts`)))
      .filter((name) => !mirrored.has(name) && !(name in heldBy) && !(name in heldByProcess));
    assert.deepEqual(open, []);
  });
});

/** Each source of a table beside each of its tests. */
const linesOf = (table: typeof heldBy) =>
  Object.entries(table).flatMap(([name, holders]) => holders.map((holder) => [name, holder] as const));

describe('the table', () => {
  for (const [kind, table] of Object.entries({ heldBy, heldByProcess })) {
    it(`${kind} has lines, each of a source with logic, in order`, () => {
      const names = Object.keys(table);
      assert.ok(names.length > 0);
      assert.deepEqual(names, [...names].sort());
      assert.deepEqual(
        names.filter((name) => !sources.includes(name) || !holdsLogic(read(`src/${name}.ts`))),
        [],
      );
    });

    it(`${kind} has no line of a source with a test of its own`, () => {
      assert.deepEqual(
        Object.keys(table).filter((name) => mirrored.has(name)),
        [],
      );
    });

    it(`${kind} names tests that exist, once each`, () => {
      for (const [name, holders] of Object.entries(table))
        assert.ok(holders.length > 0 && new Set(holders).size === holders.length, name);
      assert.deepEqual(
        linesOf(table).filter(([, holder]) => !tests.includes(holder)),
        [],
      );
    });
  }

  it('has each source once', () => {
    assert.deepEqual(
      Object.keys(heldBy).filter((name) => name in heldByProcess),
      [],
    );
  });

  it('names tests that load the source', () => {
    assert.deepEqual(
      linesOf(heldBy).filter(([name, holder]) => !loadedByTest.get(holder)?.has(`src/${name}.ts`)),
      [],
    );
  });

  it('names tests that start a process which loads the source', () => {
    assert.deepEqual(
      linesOf(heldByProcess).filter(([name, holder]) => !loadedByProcesses(holder).has(`src/${name}.ts`)),
      [],
    );
  });
});

describe('a test', () => {
  const beside = tests.filter((name) => !/^(commands|cuda|system)\//.test(subject(name)));

  it('lies beside a source, or where tests of commands and of several parts lie', () => {
    assert.ok(beside.length > 0);
    assert.deepEqual(
      beside.filter((name) => ![...sources, ...studies].includes(subject(name))),
      [],
    );
  });

  it('loads the source that it lies beside, itself or in a process', () => {
    const loads = (name: string, path: string) =>
      loadedByTest.get(name)?.has(path) || loadedByProcesses(name).has(path);
    assert.deepEqual(
      beside.filter((name) => !loads(name, pathOf(subject(name)))),
      [],
    );
  });
});

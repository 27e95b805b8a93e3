/** Imports go one way, so that each part can be read without those above it; type-only imports count too. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { child } from '../support/child.js';
import { specifiersOf } from '../support/specifiers.js';

const root = fileURLToPath(new URL('../../../src/', import.meta.url));

/** From the bottom up: a part imports from itself and from the levels before it, never from its own level or a later one. */
const levels: readonly (readonly string[])[] = [
  ['errors.ts'],
  ['provenance', 'browser'],
  ['user-input', 'files', 'engine'],
  ['tensor'],
  ['distributed', 'data', 'activations'],
  ['nn'],
  ['weights', 'attacks', 'onnx'],
  ['models', 'evaluation'],
  ['runs', 'recipe', 'report'],
  ['training'],
  ['app', 'serve'],
  ['cli', 'index.ts'],
];

/** Pairs that the levels would allow and that stay apart all the same. */
const apart: readonly (readonly [from: string, to: string])[] = [
  ['attacks', 'data'], // they take a Classifier and tensors
  ['data', 'engine'], // images are bytes until DatasetTensors
  ['training', 'evaluation'], // evaluators are passed in
  ['report', 'models'], // it knows numbers and pictures
];

/** The folder of src/ that a file lies in, or the file itself. */
const partOf = (file: string) => file.split('/')[0]!;
const levelOf = (part: string) => levels.findIndex((parts) => parts.includes(part));

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(sep).join('/'))
  .sort();

/** What a file imports from src/, by `import`, `export ... from` and `import()`. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return specifiersOf(text).map((target) =>
    normalize(join(dirname(file), target))
      .split(sep)
      .join('/')
      .replace(/\.js$/, '.ts'),
  );
}

const imports = new Map(files.map((file) => [file, importsOf(file)]));
const all = [...imports].flatMap(([file, targets]) => targets.map((target) => [file, target] as const));
/** Those that leave src/: bench and studies are no part of the library, and one command each runs them. */
const outward = all.filter(([, target]) => target.startsWith('../'));
const edges = all.filter(([, target]) => !target.startsWith('../'));

/** Those that lead to a later level, or to another part of the same one. */
function upwards(some: readonly (readonly [file: string, target: string])[]): string[] {
  return some
    .filter(([file, target]) => partOf(file) !== partOf(target))
    .filter(([file, target]) => levelOf(partOf(target)) >= levelOf(partOf(file)))
    .map(([file, target]) => `${file} imports ${target}`);
}

function assertNoRing(graph: ReadonlyMap<string, Iterable<string>>): void {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    assert.ok(!path.includes(node), `a ring: ${[...path.slice(path.indexOf(node)), node].join(' > ')}`);
    if (done.has(node)) return;
    for (const target of graph.get(node) ?? []) visit(target, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
}

describe('imports', () => {
  it('are found, and name files that exist', () => {
    assert.ok(files.length >= 80, `${files.length} files`);
    assert.ok(edges.length >= 200, `${edges.length} imports`);
    for (const file of [
      'engine/native.ts',
      'tensor/tensor.ts',
      'attacks/pgd.ts',
      'training/train.ts',
      'cli/main.ts',
    ])
      assert.ok(files.includes(file), file);
    assert.ok(imports.get('tensor/tensor.ts')!.includes('tensor/scope.ts'));
    for (const [file, target] of edges) assert.ok(files.includes(target), `${file} imports ${target}`);
  });

  it('know every folder of src', () => {
    for (const file of files)
      assert.ok(levelOf(partOf(file)) >= 0, `Give ${partOf(file)}/ a place in this test.`);
  });

  it('leave src for the bench and the studies alone, from their commands', () => {
    const places = { 'cli/commands/bench.ts': /^\.\.\/bench\//, 'cli/commands/study.ts': /^\.\.\/studies\// };
    assert.deepEqual([...new Set(outward.map(([file]) => file))].sort(), Object.keys(places));
    for (const [file, target] of outward) assert.match(target, places[file as keyof typeof places]);
  });

  it('go one way', () => {
    assert.deepEqual(upwards(edges), []);
  });

  it('would be refused if they went upwards or sideways', () => {
    const made: readonly (readonly [string, string])[] = [
      ['attacks/pgd.ts', 'models/model.ts'],
      ['weights/zip.ts', 'attacks/pgd.ts'],
      ['weights/zip.ts', 'weights/pickle.ts'],
      ['app/predict.ts', 'errors.ts'],
    ];
    assert.deepEqual(upwards(made), [
      'attacks/pgd.ts imports models/model.ts',
      'weights/zip.ts imports attacks/pgd.ts',
    ]);
  });

  it('keep apart what can be read without the other', () => {
    const wrong = edges.filter(([file, target]) =>
      apart.some(([from, to]) => partOf(file) === from && partOf(target) === to),
    );
    assert.deepEqual(
      wrong.map(([file, target]) => `${file} imports ${target}`),
      [],
    );
  });

  it('form no ring of folders inside a part', () => {
    // A folder's own files and its subfolders share vocabulary and may use each other; its subfolders form no ring.
    const folders = new Map<string, Set<string>>();
    for (const [file, target] of edges) {
      const [from, to] = [dirname(file), dirname(target)];
      const isNested = from === to || from.startsWith(`${to}/`) || to.startsWith(`${from}/`);
      if (!isNested && from !== '.' && to !== '.')
        folders.set(from, (folders.get(from) ?? new Set()).add(to));
    }
    assert.ok(folders.size >= 30, `${folders.size} folders`);
    assertNoRing(folders);
  });

  it('form no ring of files', () => {
    assertNoRing(imports);
  });

  it('reach the binary in src/engine/native.ts alone', () => {
    const loading = /createRequire|\brequire\(|process\.dlopen|\.node['"`]/;
    const loaders = files.filter((file) => loading.test(readFileSync(join(root, file), 'utf8')));
    assert.deepEqual(loaders, ['engine/native.ts']);
    const users = edges.filter(([, target]) => target === 'engine/native.ts').map(([file]) => partOf(file));
    assert.deepEqual([...new Set(users)].sort(), ['distributed', 'engine', 'tensor']);
  });

  it('load no engine: that is left to the first use', () => {
    const others = files.filter((file) => file !== 'cli/main.ts');
    const specifiers = others.map((file) => `./src/${file.replace(/\.ts$/, '.js')}`);
    const ended = child(
      { 'src/engine/native.js': 'isLoaded, native', 'node:url': 'pathToFileURL' },
      `const dist = pathToFileURL(process.cwd() + '/');
      for (const file of ${JSON.stringify(specifiers)}) await import(new URL(file, dist).href);
      console.log(isLoaded());
      native();
      console.log(isLoaded());
      process.exit(0);`,
    );
    assert.equal(ended.errors, '');
    assert.equal(ended.output, 'false\ntrue\n');
  });
});

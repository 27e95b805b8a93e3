/** Imports go one way, so that each part can be read without those above it; type-only imports count too. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { child } from './support/child.js';

const root = fileURLToPath(new URL('../../src/', import.meta.url));

/** From the bottom up: a part imports from its own level and from those before it, never from one behind. */
const levels: readonly (readonly string[])[] = [
  ['errors.ts'],
  // small files that know no tensor: what input may be, and how it is read
  ['addon.ts', 'version.ts', 'nearest.ts', 'epsilon.ts', 'fields.ts', 'validate.ts', 'command-line.ts'],
  ['native.ts'],
  ['tensor'],
  ['ranks'],
  ['activations', 'losses.ts', 'nn'],
  ['models', 'data', 'attacks', 'runs', 'export'],
  ['recipe', 'recipe.ts', 'load-recipe.ts', 'evaluation', 'training', 'report'],
  // files of src/ that no line above names: each knows several parts and puts them together
  ['experiment.ts', 'plan'],
  ['cli', 'index.ts'],
];

/** Pairs that stand on fitting levels and must stay apart all the same. */
const apart: readonly (readonly [from: string, to: string])[] = [
  ['attacks', 'models'], // they take a Classifier
  ['attacks', 'data'],
  ['evaluation', 'models'],
  ['evaluation', 'training'],
  ['training', 'evaluation'], // evaluators are handed in
  ['data', 'models'],
  ['report', 'training'],
  ['nn', 'losses.ts'],
];

/** The folder of src/ that a file lies in, or the file itself. */
const partOf = (file: string) => file.split('/')[0]!;
const composing = levels.findIndex((parts) => parts.includes('experiment.ts'));
const levelOf = (part: string) => {
  const level = levels.findIndex((parts) => parts.includes(part));
  return level >= 0 || !part.endsWith('.ts') ? level : composing;
};

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(sep).join('/'))
  .sort();

/** What a file imports from src/, by `import`, `export ... from` and `import()`. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const from = /^(?:import|export)\b[^'"`;]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\bimport\(\s*'([^']+)'/gm;
  return [...text.matchAll(from)]
    .map(([, named, effect, lazy]) => named ?? effect ?? lazy ?? '')
    .filter((target) => target.startsWith('.'))
    .map((target) =>
      normalize(join(dirname(file), target))
        .split(sep)
        .join('/')
        .replace(/\.js$/, '.ts'),
    );
}

const imports = new Map(files.map((file) => [file, importsOf(file)]));
const all = [...imports].flatMap(([file, targets]) => targets.map((target) => [file, target] as const));
/** Those that leave src/: the bench is no part of the library, and one command runs it. */
const outward = all.filter(([, target]) => target.startsWith('../'));
const edges = all.filter(([, target]) => !target.startsWith('../'));

describe('imports', () => {
  it('are found, and name files that exist', () => {
    assert.ok(files.length >= 80, `${files.length} files`);
    assert.ok(edges.length >= 200, `${edges.length} imports`);
    for (const file of [
      'native.ts',
      'tensor/tensor.ts',
      'attacks/descend.ts',
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

  it('leave src for the bench alone, from its command', () => {
    assert.ok(outward.length > 0);
    for (const [file, target] of outward) {
      assert.equal(file, 'cli/bench.ts', `${file} imports ${target}`);
      assert.match(target, /^\.\.\/bench\//);
    }
  });

  it('go one way', () => {
    const wrong = edges.filter(([file, target]) => levelOf(partOf(target)) > levelOf(partOf(file)));
    assert.deepEqual(
      wrong.map(([file, target]) => `${file} imports ${target}`),
      [],
    );
  });

  it('never lead from attacks and evaluation to a model, nor from training to evaluation', () => {
    const wrong = edges.filter(([file, target]) =>
      apart.some(([from, to]) => partOf(file) === from && partOf(target) === to),
    );
    assert.deepEqual(
      wrong.map(([file, target]) => `${file} imports ${target}`),
      [],
    );
  });

  it('form no ring', () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      assert.ok(!path.includes(file), `a ring: ${[...path.slice(path.indexOf(file)), file].join(' > ')}`);
      if (done.has(file)) return;
      for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });

  it('reach the binary in src/native.ts alone', () => {
    const loading = /createRequire|\brequire\(|process\.dlopen|\.node['"`]/;
    const loaders = files.filter((file) => loading.test(readFileSync(join(root, file), 'utf8')));
    assert.deepEqual(loaders, ['native.ts']);
    const users = edges.filter(([, target]) => target === 'native.ts').map(([file]) => partOf(file));
    assert.deepEqual([...new Set(users)], ['tensor']);
  });

  it('load no engine: that is left to the first use', () => {
    const others = files.filter((file) => file !== 'cli/main.ts');
    const specifiers = others.map((file) => `./src/${file.replace(/\.ts$/, '.js')}`);
    const ended = child(
      { 'src/native.js': 'isLoaded, native', 'node:url': 'pathToFileURL' },
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

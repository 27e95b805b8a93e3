/** Which class of a model each class of a data set is: read, applied, told and refused. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readClassMap, withMappedLabels } from '../../src/data/class-map.js';
import type { Dataset } from '../../src/data/dataset.js';
import { InputError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-class-map-'));
after(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const path = join(folder, 'map.yaml');
  writeFileSync(path, text);
  return path;
}

const data = (classes: readonly string[]): Dataset => ({
  name: 'folder:test',
  classes,
  shape: [1, 1, 1],
  images: new Uint8Array(classes.length),
  labels: Uint8Array.from(classes.keys()),
  ids: Uint32Array.from(classes.keys()),
  order: 'folder',
  warnings: ['before'],
});
const refuses = (body: () => unknown, sentence: RegExp) =>
  assert.throws(body, (error) => error instanceof InputError && sentence.test(error.message));

describe('a class map', () => {
  it('is read from YAML and JSON; numbers are indices, unless they are quoted, and names stand as written', () => {
    const expected = { cat: 281, '010': 7, 'a b': 'tabby cat', true: '9', 'caf\u00e9': 0 };
    assert.deepEqual(
      readClassMap(fileOf(`cat: 281\n010: 7\na b: tabby cat\ntrue: "9"\ncaf\u00e9: 0\n`)),
      expected,
    );
    const json = '{"cat": 281, "010": 7, "a b": "tabby cat", "true": "9", "caf\u00e9": 0}';
    assert.deepEqual(readClassMap(fileOf(json)), expected);
  });

  it('is refused where it is none', () => {
    refuses(() => readClassMap(join(folder, 'nowhere.yaml')), /`classMap` .*The file does not exist/);
    refuses(() => readClassMap(folder), /YAML or JSON file for `classMap`/);
    refuses(() => readClassMap(fileOf('')), /such as cat: 281 .*an empty file/);
    refuses(() => readClassMap(fileOf('- cat\n')), /such as cat: 281/);
    refuses(() => readClassMap(fileOf('cat: [1]\n')), /index of an output, for cat in .*\[1\]|"1"/);
    refuses(() => readClassMap(fileOf('cat:\n')), /for cat in/);
    refuses(() => readClassMap(fileOf('a: &x b\nc: *x\n')), /for c in/);
    refuses(() => readClassMap(fileOf('[a, b]: 1\n')), /name of a class of the data/);
    refuses(() => readClassMap(fileOf('cat: 1\ncat: 2\n')), /line 2 .*unique/);
    refuses(() => readClassMap(fileOf('a'.repeat(50_001))), /at most 50000 characters/);
  });
});

describe('the labels by a class map', () => {
  const classes = ['ant', 'bee', 'cow', 'dog', 'eel'];
  const named = { classes, isNamed: true };
  const labels = (map: Record<string, string | number>, of: readonly string[], model = named) => [
    ...withMappedLabels(data(of), map, model).labels,
  ];

  it('are those of the named class or output, several folders for one class too', () => {
    assert.deepEqual(labels({ Ameise: 'ant', Aal: 4, Biene: 1 }, ['Aal', 'Ameise', 'Biene']), [4, 0, 1]);
    assert.deepEqual(labels({ a1: 'dog', a2: 3, b: 0 }, ['a1', 'a2', 'b']), [3, 3, 0]);
    const unnamed = { classes: classes.map((_, at) => `${at}`), isNamed: false };
    assert.deepEqual(labels({ x: 4, y: 2 }, ['x', 'y'], unnamed), [4, 2]);
    assert.deepEqual(labels({ 'cafe\u0301': 4, y: 2 }, ['caf\u00e9', 'y']), [4, 2]);
  });

  it('are those of the same name where the map has no line', () => {
    assert.deepEqual(labels({ Aal: 'eel' }, ['Aal', 'bee', 'dog']), [4, 1, 3]);
  });

  it('come with what was mapped, and with the classes that lack images', () => {
    const { classes: names, warnings } = withMappedLabels(
      data(['Aal', 'Biene']),
      { Aal: 4, Biene: 'bee', Kuh: 2 },
      named,
    );
    assert.deepEqual(names, classes);
    assert.deepEqual(warnings.slice(0, 2), [
      'before',
      'By the class map, the classes of folder:test are these of the model: Aal → eel, Biene → bee. Of its lines 1 is of no class here.',
    ]);
    assert.match(warnings[2]!, /^3 classes of the model's 5 are not among those .*: ant, cow, dog\./);
  });

  it('are refused for names that match nothing, with the nearest', () => {
    refuses(() => labels({ x: 'cwo', y: 1 }, ['x', 'y']), /'x' in `classMap` .*'cwo'\. Did you mean 'cow'\?/);
    refuses(() => labels({ x: 5, y: 1 }, ['x', 'y']), /0 to 4, for 'x' in `classMap` but received 5/);
    refuses(() => labels({ x: -1, y: 1 }, ['x', 'y']), /received -1/);
    refuses(() => labels({ x: 0.5, y: 1 }, ['x', 'y']), /received 0\.5/);
    refuses(
      () => labels({ x: 'cow', y: 1 }, ['x', 'y'], { classes: ['0', '1', '2'], isNamed: false }),
      /0 to 2, for 'x' .*'cow'\. The model does not name its classes/,
    );
    refuses(() => labels({ y: 1 }, ['Cow', 'y']), /line for 'Cow' of folder:test .*Did you mean 'cow'\?/);
    // 'bee' is a class of the model, but the misspelt line was meant for it.
    refuses(
      () => labels({ beee: 'dog', y: 1 }, ['bee', 'y']),
      /line for 'bee' .* 1 line of no class there \(beee\)\. Did you mean 'bee' by 'beee'\?/,
    );
    refuses(() => labels({ 'cafe\u0301': 4, 'caf\u00e9': 2 }, ['caf\u00e9', 'y']), /two Unicode forms/);
  });
});

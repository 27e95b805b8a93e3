/** A TorchScript file of Satin names its classes and its shape, and stays what libtorch reads. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setThreads } from '../../src/engine/engine-info.js';
import { InputError } from '../../src/errors.js';
import { placeholderClassNames } from '../../src/models/placeholder-class-names.js';
import { factsOf, withFacts } from '../../src/models/torchscript-facts.js';
import { zeros } from '../../src/tensor/create.js';
import { scope } from '../../src/tensor/scope.js';
import { TorchScript } from '../../src/tensor/torchscript.js';
import { zipContent, zipRecords } from '../../src/weights/zip.js';
import { appendToZip } from '../../src/weights/zip-append.js';
import { zipFile } from '../support/zip-file.js';

setThreads(1);
const folder = mkdtempSync(join(tmpdir(), 'satin-facts-'));
after(() => rmSync(folder, { recursive: true }));
const golden = fileURLToPath(new URL('../../../test/golden/torchscript/flat-28.pt', import.meta.url));
const facts = { classes: ['Zaunkönig', 'b/c'], shape: [1, 28, 28] as const };

function fileOf(bytes: Uint8Array): string {
  const path = join(folder, 'model.pt');
  writeFileSync(path, bytes);
  return path;
}

test("a file of PyTorch's keeps all of its records, and libtorch reads it as before", () => {
  assert.equal(factsOf(golden), null);
  const before = zipRecords(golden)!;
  const path = fileOf(withFacts(readFileSync(golden), facts));
  const { classes, shape } = factsOf(path)!;
  assert.deepEqual({ classes, shape }, facts);
  const now = zipRecords(path)!;
  assert.equal(now.size, before.size + 1);
  for (const [name, record] of before)
    assert.deepEqual(zipContent(path, now.get(name)!), zipContent(golden, record), name);
  const answer = (file: string) => {
    using script = TorchScript.load(file);
    return scope(() => [...script.forward(zeros([2, 1, 28, 28])).numbers()]);
  };
  assert.deepEqual(answer(path), answer(golden));
});

test('a zip without zip64 takes another file too, and one that is none is refused', () => {
  const archive = zipFile([{ name: 'a/one', bytes: Buffer.from('1'), packed: true }]);
  const path = fileOf(appendToZip(archive, { name: 'a/two', data: Buffer.from('22') }));
  const records = zipRecords(path)!;
  assert.deepEqual([...records.keys()], ['a/one', 'a/two']);
  assert.equal(String(zipContent(path, records.get('a/one')!)), '1');
  assert.equal(String(zipContent(path, records.get('a/two')!)), '22');
  assert.throws(
    () => appendToZip(Buffer.from('no archive at all, but long enough'), { name: 'a', data: archive }),
    RangeError,
  );
});

test('what is damaged or not what Satin writes is refused; numbers are no names', () => {
  const written = (text: string) =>
    fileOf(zipFile([{ name: 'a/extra/satin.json', bytes: Buffer.from(text) }]));
  for (const text of ['{', '{}', '{"classes":["a"],"shape":[1,2,3]}', '{"classes":["a","b"],"shape":[1,2]}'])
    assert.throws(() => factsOf(written(text)), InputError, text);
  assert.throws(
    () => factsOf(fileOf(zipFile([{ name: 'a/extra/satin.json', bytes: Buffer.from('{}'), packed: true }]))),
    /to be readable/,
  );
  const placeholders = JSON.stringify({ classes: placeholderClassNames(3), shape: [1, 2, 3] });
  assert.equal(factsOf(written(placeholders))?.classes, null);
});

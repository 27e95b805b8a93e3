import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { readYaml } from '../../src/files/read-yaml.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-yaml-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'a.yaml');

function read(text: string, asText = false): unknown {
  writeFileSync(path, text);
  return readYaml(path, { asText }).toJS();
}

it('reads values as YAML types, or as text as it stands', () => {
  const text = '010: 1e3\nyes: null\n';
  assert.deepEqual(read(text), { 10: 1000, yes: null });
  assert.deepEqual(read(text, true), { '010': '1e3', yes: 'null' });
});

it('names the line that cannot be parsed', () => {
  assert.throws(() => read('a: 1\nb: [1\nc: 2\n'), /Expected YAML in .* line 3 cannot be parsed/);
});

it('refuses long and deep files before it parses them, or without running out of stack', () => {
  writeFileSync(path, '');
  truncateSync(path, 2 ** 40);
  assert.throws(() => readYaml(path), /at most 50000 characters .* 1099511627776/);
  assert.throws(() => read('é'.repeat(50_001)), /at most 50000 characters .* 50001/);
  assert.throws(() => read('['.repeat(40_000)), /nested too deep|cannot be parsed/);
});

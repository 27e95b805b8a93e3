import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { packageFolder } from '../../src/provenance/package-folder.js';
import { schemaLine } from '../../src/recipe/schema-line.js';

const start = '# yaml-language-server: $schema=';

test('the place is relative to the recipe, wherever that is, and leads to the schema', () => {
  for (const folder of [join(packageFolder, 'recipes'), dirname(packageFolder), '/somewhere/else']) {
    const line = schemaLine(join(folder, 'mine.yaml'));
    assert.ok(line.startsWith(start));
    const place = line.slice(start.length);
    assert.ok(!place.startsWith('/'));
    assert.ok(statSync(join(folder, place)).isFile());
  }
  assert.equal(schemaLine(join(packageFolder, 'recipes', 'mine.yaml')), `${start}recipe.schema.json`);
});

test('a place with a space, which would end it, is an address', () => {
  const line = schemaLine('/home/me/mine.yaml', '/home/a b/satin/recipes/recipe.schema.json');
  assert.equal(line, `${start}file:///home/a%20b/satin/recipes/recipe.schema.json`);
});

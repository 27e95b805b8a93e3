/** docs/recipe-keys.md is what the schema says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageFolder } from '../../src/provenance/package-folder.js';
import { settingPaths } from '../../src/recipe/setting-paths.js';

const script = pathToFileURL(join(packageFolder, 'scripts', 'recipe-keys.mjs')).href;
const { recipeKeys } = (await import(script)) as { recipeKeys: () => Promise<string> };
const made = await recipeKeys();

test('the page of the keys is up to date: node scripts/recipe-keys.mjs', () => {
  assert.ok(readFileSync(join(packageFolder, 'docs', 'recipe-keys.md'), 'utf8') === made);
});

test('it has each setting, once for each meaning, with values, a default and a meaning', () => {
  const rows = made.split('\n').filter((line) => line.startsWith('| `'));
  const keys = rows.map((row) => /^\| `([^`]+)`/.exec(row)![1]!);
  const meanings = rows.map((row) =>
    row.replace(/^(\| `[^`]+` \|).*\| (?:With [^|]*?\. )?([^|]+) \|$/, '$1 $2'),
  );
  assert.equal(new Set(meanings).size, rows.length);
  const inStoredRecipesOnly = 'threat.epsilonText';
  for (const path of settingPaths()) if (path !== inStoredRecipesOnly) assert.ok(keys.includes(path), path);
  for (const row of rows) {
    assert.equal(row.split(/ \| /).length, 4, row);
    assert.match(row.replace(/ \|$/, ''), /[.)]$/, `a meaning: ${row}`);
  }
});

/** docs/checks.md and the checks say the same. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { flagCodes } from '../../src/evaluation/checks/flag.js';
import { thresholds } from '../../src/evaluation/checks/thresholds.js';
import { plantedModels } from '../support/planted-models.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const page = readFileSync(`${root}docs/checks.md`, 'utf8');

/** The rows of the table below a heading, as written. */
const table = (heading: string) =>
  [...(page.split(`\n## ${heading}\n`)[1] ?? '').split('\n## ')[0]!.matchAll(/^\|.*\|$/gm)]
    .map(([row]) => row)
    .slice(2);

describe('docs/checks.md', () => {
  it('has a paragraph for each flag, with a next step, and for no other', () => {
    const paragraphs = new Map(
      page
        .split(/^### /m)
        .slice(1)
        .map((part) => [/^`([^`]+)`\n/.exec(part)?.[1] ?? part.slice(0, 40), part.split(/^## /m)[0]!]),
    );
    assert.deepEqual([...paragraphs.keys()].sort(), [...flagCodes].sort());
    for (const [code, text] of paragraphs) {
      assert.match(text, /\*\*Next:\*\*/, code);
      assert.ok(text.length > 100, code);
    }
  });

  it('tells the flags that the source raises: each is raised in one place or two', () => {
    const folder = `${root}src/evaluation/checks/`;
    const sources = readdirSync(folder)
      .filter((name) => name !== 'flag.ts')
      .map((name) => readFileSync(folder + name, 'utf8'));
    for (const code of flagCodes) {
      const places = sources.flatMap((text) => text.split(`'${code}'`).slice(1)).length;
      assert.ok(places === 1 || places === 2, `${code}: ${places}`);
    }
  });

  it('has the table of planted models', () => {
    const rows = plantedModels.map(
      ({ name, flag, full }) =>
        `| ${name} | \`${flag}\` | ${full === true ? 'with `--checks full`' : 'always'} |`,
    );
    assert.ok(rows.length >= 10);
    assert.deepEqual(table('Which defect raises which flag'), rows);
  });

  it('states every threshold as it is', () => {
    const stated = table('Thresholds').map((row) => {
      const [, name, value] = /^\| `(\w+)` \| (\S+) \| .+ \|$/.exec(row) ?? [];
      return [name, Number(value)];
    });
    assert.deepEqual(stated, Object.entries(thresholds));
  });
});

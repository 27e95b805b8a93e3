/** Every page of studies/results/ is made again from the records beside it, to the letter. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageFolder } from '../../src/provenance/package-folder.js';
import { studies } from '../../studies/catalogue.js';
import { readRecords } from '../../studies/record.js';
import { scales } from '../../studies/scales.js';
import { activationChoice, resultsFolder } from '../../studies/summary.js';
import { makePage } from '../../studies/write-study.js';

const results = resultsFolder;

it('the README has the answer of the records', () => {
  const readme = readFileSync(join(packageFolder, 'README.md'), 'utf8');
  const answer = activationChoice();
  assert.match(answer, /SiLU in place of ReLU/);
  assert.ok(readme.includes(`\n${answer}\n`), '`npm run docs` writes it');
});

describe('the committed results', () => {
  const folders = scales.filter(({ name }) => existsSync(join(results, name, 'records')));

  it('are those of at least one scale', () => assert.ok(folders.length > 0));

  for (const scale of folders) {
    const folder = join(results, scale.name);
    for (const study of studies) {
      const file = join(folder, study.name, 'page.md');
      if (!existsSync(file)) continue;
      it(`${scale.name}, ${study.name}: page and figures follow from the records`, () => {
        const options = { study, scale, recipe: scale.recipe, smoke: false, dataDir: 'FOLDER', folder };
        assert.equal(makePage(options)?.text, readFileSync(file, 'utf8'));
      });
    }

    it(`${scale.name}: records name no place of a machine, and their runs are of a commit`, () => {
      const records = readRecords(folder);
      assert.ok(records.length > 0);
      for (const { name, record } of records) {
        assert.doesNotMatch(JSON.stringify(record), /\/(?:tmp|home|root|work)\//, name);
        assert.match(record.commit ?? '', /^[0-9a-f]{40}$/, name);
      }
    });

    it(`${scale.name}: every folder is a study's`, () => {
      const known = [...studies.map(({ name }) => name), 'sanity', 'records'];
      for (const name of readdirSync(folder)) assert.ok(known.includes(name), name);
    });
  }
});

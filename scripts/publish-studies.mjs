/**
 * Takes the records of a studies' folder into studies/results and makes the pages of some studies there anew:
 *
 *     node scripts/publish-studies.mjs SCALE FOLDER STUDY...
 *
 * `npm run docs` then puts the answer into the README.
 */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { studies } from '../dist/studies/catalogue.js';
import { recordsFolder } from '../dist/studies/record.js';
import { scales } from '../dist/studies/scales.js';
import { writeStudy } from '../dist/studies/write-study.js';

const [name, from, ...asked] = process.argv.slice(2);
const scale = scales.find((each) => each.name === name);
if (scale === undefined || from === undefined || asked.length === 0)
  throw new Error('Expected a scale, the folder of studies that were carried out, and names of studies.');
const folder = join('studies', 'results', name);
mkdirSync(recordsFolder(folder), { recursive: true });
cpSync(recordsFolder(from), recordsFolder(folder), { recursive: true });
for (const each of asked) {
  const study = studies.find(({ name }) => name === each);
  if (study === undefined) throw new Error(`Expected one of ${studies.map(({ name }) => name).join(', ')}.`);
  const setting = { study, recipe: scale.recipe, smoke: false, dataDir: 'FOLDER' };
  const written = await writeStudy({ ...setting, scale, folder });
  console.log(written?.page ?? `${each}: no finished run`);
}

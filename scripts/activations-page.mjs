/**
 * Generates the table and figures of docs/activations.md from src/activations/table.ts: `npm run docs`. Files that are up to
 * date are not rewritten.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { activationTable } from '../dist/src/activations/describe.js';
import { activationFigures } from './activations-figure.mjs';

const docs = new URL('../docs/', import.meta.url);
const begin = '<!-- The table is made by `npm run docs` from src/activations/table.ts. -->';
const end = '<!-- Here it ends. -->';

const page = read('activations.md');
const [from, to] = [page.indexOf(begin), page.indexOf(end)];
if (from < 0 || to < from) throw new Error(`Expected '${begin}' and '${end}' in docs/activations.md.`);
const table = `${begin}\n\n${activationTable()}\n\n`;
const made = { 'activations.md': page.slice(0, from) + table + page.slice(to) };
for (const [scheme, svg] of Object.entries(await activationFigures()))
  made[`activations-${scheme}.svg`] = svg;

for (const [file, text] of Object.entries(made)) {
  if (read(file) === text) continue;
  writeFileSync(new URL(file, docs), text);
  process.stdout.write(`docs/${file}: ${text.length} characters\n`);
}

function read(file) {
  const url = new URL(file, docs);
  return existsSync(url) ? readFileSync(url, 'utf8') : '';
}

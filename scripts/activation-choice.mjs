/** `npm run docs`: writes the table of the README that answers which activation to take, from studies/results/. */
import { readFileSync, writeFileSync } from 'node:fs';
import { activationChoice } from '../dist/studies/summary.js';

const begin = '<!-- The answer is made by `npm run docs` from studies/results/. -->\n';
const end = '<!-- Here it ends. -->\n';
const text = readFileSync('README.md', 'utf8');
const [before, rest] = text.split(begin);
const after = rest?.split(end).slice(1).join(end);
if (after === undefined) throw new Error('README.md has no place for the answer.');
writeFileSync('README.md', `${before}${begin}\n${activationChoice()}\n\n${end}${after}`);

/**
 * `node scripts/parity/table.mjs`: the committed verdicts -> the table in docs/autoattack.md. With `--check` nothing is
 * written; the exit code says whether the table is that of the verdicts, and whether they agree as they should.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { letters, networks, runs, runsOf } from './runs.mjs';

const page = fileURLToPath(new URL('../../docs/autoattack.md', import.meta.url));
const [begin, end] = ['<!-- parity -->\n', '<!-- /parity -->'];
/** Points by which robust accuracy may differ, besides the spread of the reference's own seeds. */
const allowed = (run) => (run === 'standard' ? 0.2 : 0.7);
const leastAlike = 0.99;

const problems = [];
const rows = Object.keys(networks).flatMap(rowsOf);
const table = [
  '| network | run | images | clean | reference, seeds 0 and 1 | Satin | difference, allowed | judged alike | seeds of the reference alike |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ...rows.map((cells) => `| ${cells.join(' | ')} |`),
].join('\n');
const before = readFileSync(page, 'utf8');
const [head, rest] = before.split(begin);
const after = `${head}${begin}${table}\n${end}${rest.split(end)[1]}`;
if (!process.argv.includes('--check')) writeFileSync(page, after);
else if (after !== before) problems.push('docs/autoattack.md has another table than the verdicts make.');
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

function rowsOf(network) {
  const file = fileURLToPath(new URL(`../../test/golden/parity/${network}.json`, import.meta.url));
  const record = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { runs: [] };
  return runsOf(network).map((run) => {
    const of = (side, seed) =>
      record.runs.find((each) => each.side === side && each.run === run && each.seed === seed)?.verdicts ??
      '';
    return [
      `\`${network}\``,
      `\`${run}\``,
      ...cells({ network, run, theirs: of('reference', 0), again: of('reference', 1), ours: of('satin', 0) }),
    ];
  });
}

function cells({ network, run, theirs, again, ours }) {
  const count = Math.min(theirs.length, ours.length);
  if (count === 0) return ['not measured yet', '', '', '', '', '', ''];
  const cut = (verdicts) => verdicts.slice(0, count);
  const twice = run === 'fab-t' ? cut(theirs) : again.length >= count ? cut(again) : null;
  const spread = twice === null ? 0 : Math.abs(standing(cut(theirs)) - standing(twice));
  const difference = standing(cut(ours)) - standing(cut(theirs));
  const bound = allowed(run) + spread;
  const same = alike(cut(theirs), cut(ours));
  if (count === runs[run]) {
    const name = `${network}, ${run}`;
    if (Math.abs(difference) > bound + 1e-9)
      problems.push(
        `${name}: robust accuracy differs by ${difference.toFixed(1)}, allowed are ${bound.toFixed(1)} points.`,
      );
    if (same < leastAlike) problems.push(`${name}: only ${percent(same)} are judged alike.`);
  }
  return [
    count === runs[run] ? String(count) : `${count} of ${runs[run]} so far`,
    percent(1 - [...cut(theirs)].filter((letter) => letter === letters.clean).length / count),
    `${standing(cut(theirs)).toFixed(1)} and ${run === 'fab-t' ? 'the same' : twice === null ? 'not yet' : standing(twice).toFixed(1)}`,
    standing(cut(ours)).toFixed(1),
    `${difference.toFixed(1)}, ${bound.toFixed(1)}`,
    percent(same),
    run === 'fab-t' ? 'it draws nothing' : twice === null ? 'not yet' : percent(alike(cut(theirs), twice)),
  ];
}

/** Robust accuracy in percent. */
function standing(verdicts) {
  return (100 * [...verdicts].filter((letter) => letter === letters.standing).length) / verdicts.length;
}

function alike(some, others) {
  const same = [...some].filter(
    (letter, at) => (letter === letters.standing) === (others[at] === letters.standing),
  );
  return same.length / some.length;
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

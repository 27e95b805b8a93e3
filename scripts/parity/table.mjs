/**
 * `node scripts/parity/table.mjs`: the committed verdicts -> the table in docs/autoattack.md. With `--check` nothing is
 * written; the exit code says whether the table is up to date, and whether the verdicts agree within the tolerance.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { attacks, imagesOf, letters, networks, runsOf } from './runs.mjs';

const page = fileURLToPath(new URL('../../docs/autoattack.md', import.meta.url));
const [begin, end] = ['<!-- parity -->\n', '<!-- /parity -->'];
/** Tolerated difference of robust accuracy in points, besides the spread between the reference's own seeds. */
const allowed = (run) => (run === 'standard' ? 0.2 : 0.7);
/** For the whole set; a single attack may differ as much as the reference's own seeds do. */
const leastAlike = 0.99;
const words = Object.fromEntries(Object.entries(letters).map(([word, letter]) => [letter, word]));

const problems = [];
const records = Object.keys(networks).map((network) => {
  const file = fileURLToPath(new URL(`../../test/golden/parity/${network}.json`, import.meta.url));
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { network, runs: [], disagreements: [] };
});
const lines = [
  '| network | run | images | clean | robust: reference, seeds 0 and 1 | Satin | difference, tolerance | agreement | agreement of the two seeds | APGD-CE, APGD-T, FAB-T, Square broke: reference | Satin |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ...records.flatMap(rowsOf).map((cells) => `| ${cells.join(' | ')} |`),
  '',
  ...disagreementLines(),
];
const before = readFileSync(page, 'utf8');
const [head, rest] = before.split(begin);
const after = `${head}${begin}${lines.join('\n')}\n${end}${rest.split(end)[1]}`;
if (!process.argv.includes('--check')) writeFileSync(page, after);
else if (after !== before) problems.push('docs/autoattack.md has another table than the verdicts make.');
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

function rowsOf({ network, runs: measured }) {
  return runsOf(network).map((run) => {
    const of = (side, seed) =>
      measured.find((each) => each.side === side && each.run === run && each.seed === seed)?.verdicts ?? '';
    const verdicts = { theirs: of('reference', 0), again: of('reference', 1), ours: of('satin', 0) };
    return [`\`${network}\``, `\`${run}\``, ...cells({ network, run, ...verdicts })];
  });
}

/** The examples that only one side broke. */
function disagreementLines() {
  const all = records.flatMap(({ network, disagreements }) =>
    disagreements.map((each) => ({ network, ...each })),
  );
  if (all.length === 0) return ['The two sides agree on every example.'];
  for (const { network, run, place, margin } of all)
    if (margin > 0)
      problems.push(`${network}, ${run}: the image that broke example ${place} does not break it.`);
  return [
    '| network | run | image | reference | Satin | margin |',
    '| --- | --- | --- | --- | --- | --- |',
    ...all.map(
      ({ network, run, place, reference, satin, margin }) =>
        `| \`${network}\` | \`${run}\` | ${place} | ${outcome(reference)} | ${outcome(satin)} | ${margin} |`,
    ),
  ];
}

function cells({ network, run, theirs, again, ours }) {
  const whole = imagesOf(network, run);
  const count = Math.min(theirs.length, ours.length);
  if (count === 0) return ['not measured yet', '', '', '', '', '', '', '', ''];
  const cut = (verdicts) => verdicts.slice(0, count);
  const twice = run === 'fab-t' ? cut(theirs) : again.length >= count ? cut(again) : null;
  const spread = twice === null ? 0 : Math.abs(standing(cut(theirs)) - standing(twice));
  const difference = standing(cut(ours)) - standing(cut(theirs));
  const bound = allowed(run) + spread;
  const same = alike(cut(theirs), cut(ours));
  if (count === whole) {
    const name = `${network}, ${run}`;
    if (Math.abs(difference) > bound + 1e-9)
      problems.push(
        `${name}: robust accuracy differs by ${difference.toFixed(1)}, allowed are ${bound.toFixed(1)} points.`,
      );
    if (run === 'standard' && same < leastAlike)
      problems.push(`${name}: the two sides agree on only ${percent(same)}.`);
  }
  return [
    count === whole ? String(count) : `${count} of ${whole} so far`,
    percent(1 - [...cut(theirs)].filter((letter) => letter === letters.clean).length / count),
    `${standing(cut(theirs)).toFixed(1)} and ${run === 'fab-t' ? 'the same' : twice === null ? 'not run' : standing(twice).toFixed(1)}`,
    standing(cut(ours)).toFixed(1),
    `${difference.toFixed(1)}, ${bound.toFixed(1)}`,
    percent(same),
    run === 'fab-t' ? 'deterministic' : twice === null ? 'not run' : percent(alike(cut(theirs), twice)),
    brokenBy(cut(theirs)),
    brokenBy(cut(ours)),
  ];
}

function brokenBy(verdicts) {
  return attacks.map((name) => [...verdicts].filter((letter) => letter === letters[name]).length).join(', ');
}

/** The attack that broke an example, or that none did. */
function outcome(letter) {
  return letter === letters.standing ? 'not broken' : words[letter];
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

import type { Recipe } from '../src/recipe/recipe.js';
import { list, plainPercent as percent } from '../src/report/page/format.js';
import { normSymbols } from '../src/user-input/norm-name.js';
import type { Difference, Row } from './answer.js';
import type { Choice, StudyRun } from './jobs.js';
import type { Study } from './study.js';

export const points = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`;

/** A figure of the paper with the digits that it has, at least one. */
const published = (value: number) => (Number.isInteger(value) ? value.toFixed(1) : String(value));

/** `+2.6 (0.3 to 4.9), p = 0.04, n = 3`, with Holm's adjusted p-value. */
function differenceText({ mean, interval, adjusted, pairs }: Difference): string {
  if (interval === null || adjusted === null) return `${points(mean)}, n = ${pairs}`;
  const [low, high] = interval.map((each) => (100 * each).toFixed(1).replace('-', '−'));
  const p = adjusted < 0.001 ? '< 0.001' : `= ${adjusted.toPrecision(2)}`;
  return `${points(mean)} (${low} to ${high}), p ${p}, n = ${pairs}`;
}

/** Whether a difference is told from none at 5 %, over all arms of the study. */
export const isTold = ({ adjusted }: Difference) => adjusted !== null && adjusted < 0.05;

/** What the table says, in sentences: who is more robust, who less, and whom the runs do not tell apart. */
export function verdict(rows: readonly Row[]): string[] {
  const compared = rows.filter(({ difference }) => difference !== null);
  if (compared.length === 0)
    return ['No two arms with a seed in common are finished: nothing is compared yet.'];
  if (compared.every(({ difference }) => difference!.robust.adjusted === null))
    return ['One seed says nothing about chance: the table has no intervals.'];
  const named = (chosen: readonly Row[]) =>
    list(chosen.map(({ arm }) => `${arm.name} (against ${arm.against})`));
  const [more, less] = [1, -1].map((sign) =>
    compared.filter(({ difference: each }) => isTold(each!.robust) && sign * each!.robust.mean > 0),
  );
  const open = compared.filter(({ difference }) => !isTold(difference!.robust));
  return [
    ...(more!.length > 0 ? [`More robust, at 5 % over all comparisons: ${named(more!)}.`] : []),
    ...(less!.length > 0 ? [`Less robust: ${named(less!)}.`] : []),
    ...(open.length > 0 ? [`Not told apart in robust accuracy: ${named(open)}.`] : []),
  ];
}

/** What the paper saw and these runs do not show, a sentence for each arm that the paper has figures for. */
export function unlikeThePaper(study: Study, rows: readonly Row[]): string[] {
  const paper = new Map(study.arms.map(({ name, paper }) => [name, paper]));
  return rows.flatMap(({ arm, difference }) => {
    const [own, other] = [arm.paper, arm.against === null ? undefined : paper.get(arm.against)];
    if (difference === null || own === undefined || other === undefined) return [];
    const theirs = (own.robust - other.robust) / 100;
    const { robust } = difference;
    if (isTold(robust) && Math.sign(robust.mean) === Math.sign(theirs)) return [];
    const ours = isTold(robust) ? `here ${points(robust.mean)}` : 'here not told from none';
    return [
      `${arm.name} against ${arm.against}: ${points(theirs)} points of robust accuracy in the paper, ${ours}.`,
    ];
  });
}

/** What a page is made of: nothing but the records, so that it can be made again from them. */
export interface PageParts {
  readonly study: Study;
  readonly rows: readonly Row[];
  readonly runs: readonly StudyRun[];
  /** Arms that have no run yet. */
  readonly missing: readonly string[];
  readonly choices: readonly Choice[];
  readonly threat: Recipe['threat'];
  /** How the runs are made again: `./satin study activations --scale cifar`. */
  readonly command: string;
  /** What it was measured on: the scale's description. */
  readonly scale: string;
  /** Base name of the SVG files, null for none. */
  readonly figure: string | null;
}

/** The page of a study as Markdown. */
export function studyPage(parts: PageParts): string {
  const { study, rows, missing, figure } = parts;
  const unlike = unlikeThePaper(study, rows);
  const flagged = rows.filter(({ flags }) => flags.length > 0);
  const alt = 'Differences in robust accuracy with their 95 % intervals, as in the table';
  return [
    `# Study: ${study.name}`,
    '',
    study.question,
    '',
    `Source: ${study.source}. ${study.reading}`,
    '',
    ...(figure === null
      ? []
      : [
          `<picture><source media="(prefers-color-scheme: dark)" srcset="${figure}-dark.svg"><img alt="${alt}" src="${figure}-light.svg"></picture>`,
          '',
        ]),
    ...tableOf(rows),
    '',
    ...verdict(rows),
    '',
    ...(missing.length > 0 ? [`Not run yet: ${list(missing)}.`, ''] : []),
    ...(unlike.length > 0
      ? ['What the paper saw and these runs do not show:', '', ...unlike.map((each) => `- ${each}`), '']
      : []),
    ...(flagged.length > 0
      ? [
          'Flags of the evaluations (docs/checks.md):',
          '',
          ...flagged.map(({ arm, flags }) => `- ${arm.name}: ${flags.join(', ')}`),
          '',
        ]
      : []),
    ...tuningText(parts),
    ...provenanceText(parts),
    '',
  ].join('\n');
}

function tableOf(rows: readonly Row[]): string[] {
  const hasPaper = rows.some(({ arm }) => arm.paper !== undefined);
  const hasAutoAttack = rows.some(({ autoattack }) => autoattack !== null);
  const hasPaperAttack = hasPaper && rows.every(({ paperAttack }) => paperAttack !== null);
  const columns: readonly (readonly [heading: string, cell: (row: Row) => string, shown: boolean])[] = [
    ['arm', ({ arm }) => arm.name, true],
    ['n', ({ seeds }) => String(seeds), true],
    ['clean', ({ clean }) => percent(clean), true],
    ['robust', ({ robust }) => percent(robust), true],
    [
      'AutoAttack, seed 0',
      ({ autoattack }) => (autoattack === null ? '' : percent(autoattack)),
      hasAutoAttack,
    ],
    ['against', ({ arm, difference }) => (difference === null ? '' : arm.against!), true],
    [
      'clean, difference',
      ({ difference }) => (difference === null ? '' : differenceText(difference.clean)),
      true,
    ],
    [
      'robust, difference',
      ({ difference }) => (difference === null ? '' : differenceText(difference.robust)),
      true,
    ],
    ["the paper's attack", ({ paperAttack }) => percent(paperAttack ?? 0), hasPaperAttack],
    [
      'paper: clean',
      ({ arm }) => (arm.paper === undefined ? '' : `${published(arm.paper.clean)} %`),
      hasPaper,
    ],
    [
      'paper: robust',
      ({ arm }) => (arm.paper === undefined ? '' : `${published(arm.paper.robust)} %`),
      hasPaper,
    ],
  ];
  const shown = columns.filter((column) => column[2]);
  return [
    shown.map(([heading]) => heading),
    shown.map(() => '---'),
    ...rows.map((row) => shown.map(([, cell]) => cell(row))),
  ].map((cells) => `| ${cells.join(' | ')} |`);
}

/** What each arm chose, of what, and what that cost. */
function tuningText({ study, choices }: PageParts): string[] {
  if (study.tuning === undefined || choices.length === 0) return [];
  const hours = choices.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  return [
    `Each arm chose its ${study.tuning.setting} by robust accuracy on validation images, with one run (seed ${study.tuning.seed}) a value; ` +
      `together ${hours.toFixed(1)} hours:`,
    '',
    ...choices.map(
      ({ arm, value, tried }) =>
        `- ${arm}: ${value} (${tried.map((each) => `${each.value}: ${percent(each.robust)}`).join(', ')})`,
    ),
    '',
  ];
}

function provenanceText({ rows, runs, threat, command, scale }: PageParts): string[] {
  const tests = runs.map(({ record }) => record.test!);
  const distinct = (values: readonly string[]) => [...new Set(values)].join(', ');
  const records = [...new Set(runs.map(({ record }) => record))];
  const days = records.map(({ started }) => started.slice(0, 10)).sort();
  const [from, to] = [days[0]!, days.at(-1)!];
  const seconds = records.reduce((sum, each) => sum + each.seconds + each.test!.seconds, 0);
  const { norm, epsilonText } = threat;
  const attacks = distinct(tests.map((test) => list(test.attacks.map(({ name }) => name))));
  const examples = distinct(tests.map((test) => String(test.examples)));
  const searched = tests.every(({ precision }) => precision === 'float32')
    ? ''
    : `; attacks search in ${distinct(tests.map(({ precision }) => precision))}, verdicts are in float32`;
  const notes = records.flatMap(({ note }) => (note === null ? [] : [note]));
  const hasPaper = rows.some(({ arm }) => arm.paper !== undefined);
  return [
    `n seeds a row. Means over seeds; differences are paired by seed, with Student's 95 % intervals and p-values adjusted by Holm over the arms. ` +
      `Robust accuracy is the worst case of ${attacks} on ${examples} test images (${normSymbols[norm]}, ε = ${epsilonText}${searched}), ` +
      'of the epoch that was best on validation images.' +
      (hasPaper ? " The paper's columns are ImageNet, ResNet-50, PGD-200 at 4/255: another scale." : ''),
    '',
    `\`${command}\`, commit ${distinct(records.map(({ commit }) => commit?.replace(/^(\w{7})\w*/, '$1') ?? 'unknown'))}, ` +
      `${from === to ? from : `${from} to ${to}`}; ${scale}${notes.length > 0 ? ` (data: ${distinct(notes)})` : ''}; ` +
      `${distinct(records.map(({ device }) => device))}, ${distinct(records.map(({ engine }) => engine))}; ` +
      `${(seconds / 3600).toFixed(1)} hours of training and evaluation. Raw results: \`records\` in the folder above.`,
  ];
}

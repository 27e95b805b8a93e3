import type { Difference, Row } from './answer.js';
import type { Study } from './study.js';

/** What a page says of how its numbers came about. */
export interface Provenance {
  readonly command: string;
  readonly commit: string;
  readonly date: string;
  readonly device: string;
  readonly engine: string;
  /** What it was measured on: the scale's description. */
  readonly scale: string;
  readonly seeds: number;
  readonly examples: number;
  /** `linf, ε = 8/255` */
  readonly threat: string;
  /** Of training and evaluation, summed over the runs. */
  readonly hours: number;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const points = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`;

/** `+2.6 (0.3 to 4.9), p = 0.04`, with Holm's adjusted p-value. */
function differenceText({ mean, interval, adjusted }: Difference): string {
  if (interval === null || adjusted === null) return points(mean);
  const [low, high] = interval.map((each) => (100 * each).toFixed(1).replace('-', '−'));
  return `${points(mean)} (${low} to ${high}), p ${adjusted < 0.001 ? '< 0.001' : `= ${adjusted.toPrecision(2)}`}`;
}

/** Whether a difference is told from none at 5 %, over all arms of the study. */
const isTold = ({ adjusted }: Difference) => adjusted !== null && adjusted < 0.05;

const list = (names: readonly string[]) =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** What the table says, in sentences: who is more robust, who less, and whom the runs do not tell apart. */
export function verdict(rows: readonly Row[]): string[] {
  const compared = rows.filter(({ difference }) => difference !== null);
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

/** The page of a study as Markdown; `figure` is the base name of its SVG files, null for none. */
export function studyPage(
  study: Study,
  rows: readonly Row[],
  { provenance, figure }: { readonly provenance: Provenance; readonly figure: string | null },
): string {
  const { command, commit, date, device, engine, scale, seeds, examples, threat, hours } = provenance;
  const hasPaper = rows.some(({ arm }) => arm.paper !== undefined);
  const cells = [
    ['arm', 'clean', 'robust', 'against', 'clean, difference', 'robust, difference'],
    ...rows.map(({ arm, clean, robust, difference }) => [
      arm.name,
      percent(clean),
      percent(robust),
      arm.against ?? '',
      difference === null ? '' : differenceText(difference.clean),
      difference === null ? '' : differenceText(difference.robust),
    ]),
  ].map((line, index) => {
    const { paper } = index === 0 ? {} : rows[index - 1]!.arm;
    const theirs = paper === undefined ? ['', ''] : [`${paper.clean} %`, `${paper.robust} %`];
    return hasPaper ? [...line, ...(index === 0 ? ['paper: clean', 'paper: robust'] : theirs)] : line;
  });
  const table = [cells[0]!, cells[0]!.map(() => '---'), ...cells.slice(1)].map(
    (line) => `| ${line.join(' | ')} |`,
  );
  const unlike = unlikeThePaper(study, rows);
  const flagged = rows.filter(({ flags }) => flags.length > 0);
  const picture =
    figure === null
      ? []
      : [
          `<picture><source media="(prefers-color-scheme: dark)" srcset="${figure}-dark.svg"><img alt="Differences in robust accuracy with their 95 % intervals, as in the table" src="${figure}-light.svg"></picture>`,
          '',
        ];
  return [
    `# Study: ${study.name}`,
    '',
    study.question,
    '',
    `Source: ${study.source}. ${study.reading}`,
    '',
    ...picture,
    ...table,
    '',
    ...verdict(rows),
    '',
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
    `Means over ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}; differences are paired by seed, with Student's 95 % intervals and p-values adjusted by Holm ` +
      `over the arms. Robust accuracy is the worst case of APGD-CE and APGD-DLR on ${examples} test images (${threat}).` +
      (hasPaper
        ? " The paper's columns are ImageNet, ResNet-50, PGD-200 at 4/255: another scale and another attack."
        : ''),
    '',
    `\`${command}\`, commit ${commit}, ${date}; ${scale}; ${device}, ${engine}; ${hours.toFixed(1)} hours of training and ` +
      'evaluation. Raw results: `results.json` beside this page.',
    '',
  ].join('\n');
}

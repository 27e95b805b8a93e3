import { join } from 'node:path';
import { writeFileDurably } from '../../src/files/durable-file.js';
import { plainPercent as percent } from '../../src/report/page/format.js';
import { schemes } from '../svg.js';
import { findings, type NetworkChecks } from './checks.js';
import { radiiFigure, surfaceFigure } from './figure.js';
import { readAllChecks } from './run-sanity.js';

const label = ({ activation, seed }: NetworkChecks) => `${activation}, seed ${seed}`;

/** The page of the sanity checks as Markdown, from what was measured. */
export function sanityPage(
  networks: readonly NetworkChecks[],
  { command, scale }: { readonly command: string; readonly scale: string },
): string {
  const [first] = networks;
  const table = (headings: readonly string[], rows: readonly (readonly string[])[]) =>
    [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const picture = (name: string, alt: string) =>
    `<picture><source media="(prefers-color-scheme: dark)" srcset="${name}-dark.svg"><img alt="${alt}" src="${name}-light.svg"></picture>`;
  const all = networks.map((each) => ({ each, found: findings(each) }));
  const bad = all.flatMap(({ each, found }) =>
    found
      .filter(({ isSound }) => !isSound)
      .map(({ question, answer }) => `- ${label(each)}: ${question} ${answer}`),
  );
  const commits = [...new Set(networks.map(({ commit }) => commit?.slice(0, 7) ?? 'unknown'))].join(', ');
  const hours = networks.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
  return [
    '# Study: sanity',
    '',
    'Is the robust accuracy that is measured here a property of the networks, or a failure of the attacks?',
    '',
    "Source: the paper's sanity checks, whose figures were not read; Carlini et al. (2019), section 3.1; Athalye et al. (2018).",
    '',
    bad.length === 0
      ? `None of the five signs of a failing attack shows in any of the ${networks.length} networks.`
      : `Signs of a failing attack:`,
    '',
    ...(bad.length === 0 ? [] : [...bad, '']),
    '## More steps',
    '',
    "Robust accuracy under the paper's PGD, each number of steps on all images:",
    '',
    ...table(
      ['network', 'clean', ...first!.steps.map(({ steps }) => `${steps} steps`)],
      networks.map((each) => [
        label(each),
        percent(each.clean),
        ...each.steps.map(({ robust }) => percent(robust)),
      ]),
    ),
    '',
    '## Larger ε',
    '',
    picture('radii', 'Robust accuracy against epsilon, as in the table'),
    '',
    ...table(
      ['network', ...first!.radii.map(({ text }) => `ε = ${text}`)],
      networks.map((each) => [label(each), ...each.radii.map(({ robust }) => percent(robust))]),
    ),
    '',
    '## Black box and transfer',
    '',
    ...table(
      [
        'network',
        'withstand APGD-CE and APGD-T',
        'Square breaks of them',
        'fooled by images of another network',
      ],
      networks.map((each) => [
        label(each),
        String(each.blackBox.withstood),
        String(each.blackBox.broken),
        each.transfer.map(({ from, images, fooled }) => `${fooled} of ${images} (${from})`).join(', '),
      ]),
    ),
    '',
    '## Loss surface',
    '',
    picture('surface', 'Mean loss around test images, along the gradient and across it'),
    '',
    `Mean cross-entropy over test images at x + i ε s + j ε r: s is the sign of the gradient (to the right), r a random sign direction. Seed ${first!.seed}.`,
    '',
    `\`${command}\`, commit ${commits} (training); ${scale}; ${first!.examples} test images; ${hours.toFixed(1)} hours of attacks. Raw results: the JSON files beside this page.`,
    '',
  ].join('\n');
}

/** Writes `FOLDER/sanity/page.md` and its figures; null if no network is measured. */
export async function writeSanity(
  folder: string,
  facts: { readonly command: string; readonly scale: string },
): Promise<string | null> {
  const networks = readAllChecks(folder);
  if (networks.length === 0) return null;
  for (const scheme of schemes) {
    const seed = networks[0]!.seed;
    const drawn = {
      radii: await radiiFigure(networks, scheme),
      surface: await surfaceFigure(
        networks.filter((each) => each.seed === seed),
        scheme,
      ),
    };
    for (const [name, text] of Object.entries(drawn))
      writeFileDurably(join(folder, 'sanity', `${name}-${scheme}.svg`), [Buffer.from(text)]);
  }
  const page = join(folder, 'sanity', 'page.md');
  writeFileDurably(page, [Buffer.from(sanityPage(networks, facts))]);
  return page;
}

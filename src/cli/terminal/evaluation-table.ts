import { confusionOf } from '../../evaluation/confusion.js';
import { fewImages } from '../../evaluation/few-images.js';
import type { EvaluationResult } from '../../evaluation/result.js';
import { wilsonInterval } from '../../evaluation/statistics.js';
import { weightsInWords } from '../../evaluation/weights-in-words.js';
import { type KnownName, knownModels } from '../../models/known-models.js';
import { normSymbols } from '../../user-input/norm-name.js';
import { columns, shortened } from './columns.js';
import { flagHints } from './flag-hints.js';
import { percentage, shortTime } from './format.js';
import { lineWidth } from './line-width.js';
import { wrapped } from './wrapped.js';

/** The most files listed; the JSON has all. */
const listed = 10;

/**
 * Output of `satin evaluate`: one row per attack, both accuracies, and the flags; for a model with a published robust
 * accuracy, that figure beside it.
 */
export function evaluationTable(result: EvaluationResult, known: KnownName | null = null): string {
  const { examples, data, norm, epsilonText, mode, attacks, clean, robust, interval, flags } = result;
  const right = result.perExample.filter((example) => example.clean).length;
  const few = fewImages(result);
  return [
    `${count(examples)} images of ${data}, ${normSymbols[norm]}, ε = ${epsilonText}, mode ${mode}`,
    ...(result.weights === null ? [] : weightsInWords(result.weights).split('; ')),
    placeOf(result),
    '',
    ...attackRows(attacks),
    '',
    ...(few === null ? [] : [...wrapped(few, { indent: 0 }), '']),
    `clean accuracy   ${percentage(clean)}   ${intervalInWords(wilsonInterval(right, examples))}`,
    `robust accuracy  ${percentage(robust)}   ${intervalInWords(interval)}`,
    ...mistakes(result),
    ...confusion(result),
    ...(known === null ? [] : publishedLines(result, known)),
    ...flags.flatMap(({ code, message }) => ['', `flag ${code}`, ...wrapped(withHint(code, message))]),
    '',
  ].join('\n');
}

/** Of a folder the files that are misclassified without attack, and as what. */
function mistakes({ perExample }: EvaluationResult): string[] {
  const wrong = perExample.filter(({ clean, file }) => !clean && file !== undefined);
  if (wrong.length === 0) return [];
  const more = wrong.length - listed;
  return [
    '',
    'misclassified without attack',
    ...columns(
      wrong
        .slice(0, listed)
        .map(({ file, predicted }) => [
          `  ${shortened(file!, 50)}`,
          predicted === undefined ? '' : `as ${predicted}`,
        ]),
    ).map((line) => line.slice(0, lineWidth())),
    ...(more > 0 ? [`  and ${count(more)} more, all in --json and --report`] : []),
  ];
}

/** Of a folder how often images of each class (row) were predicted as each class (column), if that fits the terminal. */
function confusion(result: EvaluationResult): string[] {
  if (result.perExample.every(({ file }) => file === undefined)) return [];
  const found = confusionOf(result);
  if (found === null) return [];
  const { classes, counts } = found;
  const rows = [
    ['class, predicted as', ...classes.map((name) => shortened(name, 10))],
    ...classes.map((name, row) => [shortened(name, 19), ...counts[row]!.map(count)]),
  ];
  const lines = columns(rows, { right: [...classes.keys()].map((column) => column + 1) });
  return lines.some((line) => line.length > lineWidth()) ? [] : ['', ...lines];
}

/** The published figures, and whether they agree with these images; another attack or ε has no published figure. */
function publishedLines(result: EvaluationResult, name: KnownName): string[] {
  const { clean, robust, norm, epsilonText } = knownModels[name];
  const figures = [
    '',
    `published        ${clean.toFixed(2)}% clean, ${robust.toFixed(2)}% robust (RobustBench, ${name})`,
  ];
  const isSame = result.mode === 'standard' && result.norm === norm && result.epsilonText === epsilonText;
  if (!isSame)
    return [...figures, `This was not measured with AutoAttack's standard set at ε = ${epsilonText}.`];
  const right = result.perExample.filter((example) => example.clean).length;
  const agrees = ([low, high]: readonly [number, number], percent: number) =>
    low <= percent / 100 && percent / 100 <= high;
  const both = agrees(wilsonInterval(right, result.examples), clean) && agrees(result.interval, robust);
  return [
    ...figures,
    `The published figures lie ${both ? 'in' : 'outside'} the intervals${both ? '' : ', one or both'}.`,
  ];
}

/** Where and in which precision the verdicts were found. */
function placeOf({ engine: { device, card }, precision: { search, verdict } }: EvaluationResult): string {
  const place = `on ${device}${card === null ? '' : ` (${card})`}`;
  return search === verdict
    ? `${place} in ${verdict}`
    : `${place}, searched in ${search}, judged in ${verdict}`;
}

function withHint(code: string, message: string): string {
  const hint = flagHints[code];
  return hint === undefined ? message : `${message} Options: ${hint}.`;
}

function attackRows(attacks: EvaluationResult['attacks']): string[] {
  const hasAlone = attacks.some(({ alone }) => alone !== undefined);
  const header = ['attack', 'attacked', 'broke', ...(hasAlone ? ['alone'] : []), 'left'];
  const rows = attacks.map(({ name, attacked, broken, alone, robustAfter, seconds, ...passes }) => [
    name,
    count(attacked),
    count(broken),
    ...(hasAlone ? [alone === undefined ? '-' : count(alone.broken)] : []),
    percentage(robustAfter),
    shortTime(seconds),
    compact(passes.forwards),
    compact(passes.backwards),
  ]);
  return columns([[...header, 'time', 'forwards', 'backwards'], ...rows], {
    right: [1, 2, 3, 4, 5, 6, 7],
    optional: 3,
  });
}

function intervalInWords([low, high]: readonly [number, number]): string {
  return `95 % interval ${percentage(low)} to ${percentage(high)}`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

/** `1234567` reads `1.2M`. */
function compact(value: number): string {
  return value.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 });
}

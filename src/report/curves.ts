/** The sections with figures: learning curves, accuracies with intervals, accuracy against ε. */

import { normSymbols } from '../user-input/norm-name.js';
import type { CurvePoint, EpochPoint, ReportInput, ReportNetwork, ThreatModel } from './input.js';
import { count, decimal, epsilon, list, percent, percentRange } from './page/format.js';
import { html, type Markup } from './page/html.js';
import { intervalFigure } from './page/interval-figure.js';
import { type FigurePoint, lineFigure } from './page/line-figure.js';
import { dataTable } from './page/table.js';
import { attackNames, threatInSymbols } from './sentences.js';

export async function learningCurves({ networks }: ReportInput): Promise<Markup> {
  const series = networks.map(({ name }) => name);
  const trained = networks.filter(({ epochs }) => epochs.length > 0);
  if (trained.length === 0) return html``;
  const yShare = sharedBounds(
    trained.flatMap(({ epochs }) => epochs.flatMap((e) => [e.validationClean, e.validationRobust])),
  );
  const panel = async (
    title: string,
    field: 'loss' | 'validationClean' | 'validationRobust',
    { share }: { readonly share: boolean },
  ) => {
    const read = (point: EpochPoint) => point[field];
    const pointOf = (name: string, point: EpochPoint): FigurePoint => ({
      series: name,
      x: point.epoch,
      y: read(point),
    });
    const show = share ? (value: number) => percent(value) : decimal;
    const ends = trained.map(
      ({ name, epochs }) => `${name} from ${show(read(epochs[0]!))} to ${show(read(epochs.at(-1)!))}`,
    );
    const figure = await lineFigure({
      series,
      points: trained.flatMap(({ name, epochs }) => epochs.map((point) => pointOf(name, point))),
      rings: trained
        .filter(({ epochs }) => epochs[0]!.chosenBy === field)
        .map(({ name, epochs }) => pointOf(name, bestEpoch(epochs))),
      xTitle: 'epoch',
      yTitle: '',
      ...(share ? { yShare } : {}),
      description: `Line chart: ${title}, by epoch. ${list(ends)}.`,
    });
    return html`<figure><figcaption>${title}</figcaption>${figure}</figure>`;
  };
  return html`<section aria-labelledby="learning">
<h2 id="learning">Learning curves</h2>
<p>After every epoch each network was evaluated on validation images, which are not used for training.</p>
<div class="three">${await Promise.all([
    panel('Training loss', 'loss', { share: false }),
    panel('Validation accuracy, clean images', 'validationClean', { share: true }),
    panel('Validation accuracy under attack', 'validationRobust', { share: true }),
  ])}</div>
<p>${keptEpochs(trained)}</p>
${dataTable({
  summary: 'The learning curves as a table',
  caption: 'Loss and accuracy of each network per epoch',
  header: [
    'Network',
    'Epoch',
    'Loss',
    'Training accuracy',
    'Validation, clean',
    'Validation, attacked',
    'Seconds',
  ],
  rows: trained.flatMap(({ name, epochs }) =>
    epochs.map((point) => [
      name,
      String(point.epoch),
      point.loss.toFixed(3),
      percent(point.trainAccuracy),
      percent(point.validationClean),
      percent(point.validationRobust),
      point.seconds.toFixed(1),
    ]),
  ),
})}
</section>`;
}

const measureInWords = {
  validationClean: 'on clean images',
  validationRobust: 'under attack',
} as const;

/** The best epoch, and how much the last epoch falls below it, which indicates overfitting. */
function keptEpochs(trained: readonly ReportNetwork[]): string {
  const declines = trained.flatMap(({ name, epochs }) => {
    const [best, last] = [bestEpoch(epochs), epochs.at(-1)!];
    const measure = best.chosenBy;
    if (best[measure] === last[measure]) return [];
    return [
      `${name} was best after epoch ${best.epoch} with ${percent(best[measure])} ${measureInWords[measure]}, ` +
        `and had ${percent(last[measure])} after the last`,
    ];
  });
  const measures = [...new Set(trained.map(({ epochs }) => measureInWords[epochs[0]!.chosenBy]))];
  const kept = `A ring marks the epoch whose weights were kept: the best accuracy ${measures.join(' or ')}.`;
  return declines.length === 0 ? kept : `${kept} ${declines.join('; ')}.`;
}

/** The first epoch with the highest selecting accuracy, whose weights are kept. */
function bestEpoch(epochs: readonly EpochPoint[]): EpochPoint {
  return epochs.reduce((best, point) => (point[point.chosenBy] > best[best.chosenBy] ? point : best));
}

export async function accuracies({ networks, threat }: ReportInput): Promise<Markup> {
  const measures = ['clean', 'under attack'];
  const points = networks.flatMap(({ name, evaluation, cleanInterval }) => [
    intervalPoint(name, measures[0]!, evaluation.clean, cleanInterval),
    intervalPoint(name, measures[1]!, evaluation.robust, evaluation.interval),
  ]);
  const summaries = networks.map(
    ({ name, evaluation, cleanInterval }) =>
      `${name}: ${percent(evaluation.clean)} (${percentRange(cleanInterval)}) clean, ` +
      `${percent(evaluation.robust)} (${percentRange(evaluation.interval)}) under attack`,
  );
  return html`<section aria-labelledby="accuracy">
<h2 id="accuracy">Accuracy with confidence intervals</h2>
<figure>${await intervalFigure({
    points,
    series: networks.map(({ name }) => name),
    measures,
    description: `Dot chart of accuracies with 95 % intervals. ${summaries.join('; ')}.`,
  })}
<figcaption>Circles: clean images; squares: under attack. Bars are 95 % Wilson intervals over ${examplesInWords(networks)} test images. Attack: ${list([...new Set(networks.map(attackNames))])}, ${threatInSymbols(threat)}.</figcaption></figure>
</section>`;
}

export interface EpsilonCurves {
  readonly networks: readonly Pick<ReportNetwork, 'name' | 'curve'>[];
  readonly threat: ThreatModel;
}

/** Renders accuracy against ε; empty without a measured curve. */
export async function accuracyAgainstEpsilon({ networks, threat }: EpsilonCurves): Promise<Markup> {
  const drawn = networks.filter(({ curve }) => curve.length > 0);
  if (drawn.length === 0) return html``;
  const all = drawn.flatMap(({ curve }) => curve);
  const labels = new Map(all.map(({ epsilon, epsilonText }) => [epsilon, epsilonText]));
  const attacks = [...new Set(all.filter(({ epsilon }) => epsilon > 0).map(({ attack }) => attack))];
  const examples = [...new Set(all.map((point) => count(point.examples)))];
  const summaries = drawn.map(({ name, curve }) => `${name}: ${list(curve.map(pointInWords))}`);
  return html`<section aria-labelledby="epsilon">
<h2 id="epsilon">Accuracy against ε</h2>
<figure>${await lineFigure({
    series: networks.map(({ name }) => name),
    points: drawn.flatMap(({ name, curve }) =>
      curve.map(
        ({ epsilon, robust, interval: [low, high] }): FigurePoint => ({
          series: name,
          x: epsilon,
          y: robust,
          low,
          high,
        }),
      ),
    ),
    xTitle: `ε (${normSymbols[threat.norm]})`,
    xLabels: [...labels].sort(([a], [b]) => a - b).map(([value, text]) => ({ value, text })),
    yTitle: '',
    yShare: [0, 1],
    xMark: threat.epsilon,
    description: `Line chart of accuracy against ε. ${summaries.join('; ')}.`,
  })}
<figcaption>${attacks.length > 0 ? `Attack: ${list(attacks)}; ` : ''}${list(examples)} test images per point; bars are 95 % intervals; the dotted line is ${epsilon(threat.epsilonText)}. An image broken at one ε counts as broken at every larger ε.</figcaption></figure>
${dataTable({
  summary: 'This curve as a table',
  caption: 'Accuracy at each ε',
  header: ['Network', 'ε', 'Attack', 'Images', 'Accuracy', '95 % interval'],
  rows: drawn.flatMap(({ name, curve }) =>
    curve.map((point) => [
      name,
      point.epsilonText,
      point.attack,
      count(point.examples),
      percent(point.robust),
      percentRange(point.interval),
    ]),
  ),
})}
</section>`;
}

function intervalPoint(
  series: string,
  measure: string,
  value: number,
  [low, high]: readonly [number, number],
) {
  return { series, measure, value, low, high, text: `${measure} ${percent(value)}` };
}

function pointInWords({ epsilonText, robust }: CurvePoint): string {
  return `${percent(robust)} at ${epsilon(epsilonText)}`;
}

function examplesInWords(networks: readonly ReportNetwork[]): string {
  return list([...new Set(networks.map(({ evaluation }) => count(evaluation.examples)))]);
}

/** Bounds rounded to tens of percent, shared by two panels. */
function sharedBounds(shares: readonly number[]): readonly [number, number] {
  const low = Math.floor(Math.min(...shares) * 10) / 10;
  const high = Math.ceil(Math.max(...shares) * 10) / 10;
  return low < high ? [low, high] : [Math.max(0, low - 0.1), Math.min(1, high + 0.1)];
}

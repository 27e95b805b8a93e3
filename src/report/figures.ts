/**
 * Draws figures: vega-lite compiles a specification, vega renders it to SVG in this process, with no canvas
 * and no browser. All colours are CSS variables of the page. Figures are drawn for a column of one phone's
 * width (360 units) and placed side by side on wider screens, so their text keeps its size.
 */
import type { TopLevelSpec } from 'vega-lite';
import { html, type Markup, raw } from './html.js';
import { seriesStyle, variable } from './palette.js';

/** Width of a figure with its axes, in CSS pixels at scale 1. */
const figureWidth = 360;
const plotHeight = 190;

/** One value of one series at one place; `low` and `high` where it has an interval. */
export interface FigurePoint {
  readonly series: string;
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

export interface LineFigure {
  readonly points: readonly FigurePoint[];
  /** Names of the series in the order of the networks. */
  readonly series: readonly string[];
  readonly xTitle: string;
  /** Where the x axis has labels, and how they read; whole numbers chosen by vega where left out. */
  readonly xLabels?: readonly { readonly value: number; readonly text: string }[];
  readonly yTitle: string;
  /** Shares are shown as percentages, within these bounds; other values as they are. */
  readonly yShare?: readonly [low: number, high: number];
  /** A dashed vertical line at this x. */
  readonly xMark?: number;
  /** What a person who does not see the figure is told. */
  readonly description: string;
}

/** Lines with a mark at each point and, where the points have one, a bar for the interval. */
export async function lineFigure(figure: LineFigure): Promise<Markup> {
  const styles = figure.series.map((_, index) => seriesStyle(index));
  const domain = [...figure.series];
  const perSeries = Math.max(
    0,
    ...domain.map((name) => figure.points.filter((p) => p.series === name).length),
  );
  const manyPoints = perSeries > 40;
  const labels = Object.fromEntries((figure.xLabels ?? []).map(({ value, text }) => [value, text]));
  const xAxis =
    figure.xLabels === undefined
      ? { format: 'd', tickMinStep: 1, tickCount: 6 }
      : {
          values: figure.xLabels.map(({ value }) => value),
          labelExpr: `${JSON.stringify(labels)}[datum.value]`,
        };
  const yAxis = figure.yShare === undefined ? { tickCount: 5 } : shareAxis;
  const hasIntervals = figure.points.some((point) => point.low !== undefined);
  return draw(
    {
      width: figureWidth,
      height: plotHeight,
      autosize: { type: 'fit-x', contains: 'padding' },
      layer: [
        ...(figure.xMark === undefined
          ? []
          : [
              {
                data: { values: [{ x: figure.xMark }] },
                mark: { type: 'rule' as const, stroke: variable('muted'), strokeDash: [2, 3] },
                encoding: { x: { field: 'x', type: 'quantitative' as const } },
              },
            ]),
        {
          data: { values: [...figure.points] },
          encoding: {
            x: {
              field: 'x',
              type: 'quantitative',
              title: figure.xTitle,
              scale: { zero: false, nice: false, padding: 8 },
              axis: xAxis,
            },
            color: {
              field: 'series',
              type: 'nominal',
              scale: { domain, range: styles.map(({ colour }) => colour) },
              legend: legend(domain),
            },
          },
          layer: [
            {
              mark: { type: 'line', strokeWidth: 2, strokeJoin: 'round' },
              encoding: {
                y: {
                  field: 'y',
                  type: 'quantitative',
                  title: figure.yTitle,
                  scale:
                    figure.yShare === undefined
                      ? { zero: false, nice: true }
                      : { domain: [...figure.yShare], nice: false },
                  axis: yAxis,
                },
                strokeDash: {
                  field: 'series',
                  type: 'nominal',
                  scale: { domain, range: styles.map(({ dash }) => dash) },
                  legend: null,
                },
              },
            },
            ...(hasIntervals
              ? [
                  {
                    mark: { type: 'rule' as const, strokeWidth: 2, opacity: 0.55 },
                    encoding: {
                      y: { field: 'low', type: 'quantitative' as const, title: figure.yTitle },
                      y2: { field: 'high' },
                    },
                  },
                ]
              : []),
            {
              mark: { type: 'point', filled: true, size: manyPoints ? 0 : 55, opacity: 1 },
              encoding: {
                y: { field: 'y', type: 'quantitative', title: figure.yTitle },
                shape: {
                  field: 'series',
                  type: 'nominal',
                  scale: { domain, range: styles.map(({ shape }) => shape) },
                  legend: legend(domain),
                },
              },
            },
          ],
        },
      ],
    },
    figure.description,
  );
}

/** One accuracy with its interval. */
export interface IntervalPoint {
  readonly series: string;
  readonly measure: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** How the value reads. */
  readonly text: string;
}

export interface IntervalFigure {
  readonly points: readonly IntervalPoint[];
  readonly series: readonly string[];
  readonly measures: readonly string[];
  readonly description: string;
}

/** A dot with its interval for each series and measure, one under the other, from 0 to 100 %. */
export async function intervalFigure(figure: IntervalFigure): Promise<Markup> {
  const shared = {
    y: {
      field: 'series',
      type: 'nominal' as const,
      sort: [...figure.series],
      title: null,
      scale: { padding: 0.1 },
    },
    yOffset: { field: 'measure', type: 'nominal' as const, sort: [...figure.measures] },
    color: {
      field: 'series',
      type: 'nominal' as const,
      scale: {
        domain: [...figure.series],
        range: figure.series.map((_, index) => seriesStyle(index).colour),
      },
      legend: null,
    },
  };
  const scale = { domain: [0, 1], nice: false };
  return draw(
    {
      width: figureWidth,
      height: { step: 34, for: 'offset' },
      autosize: { type: 'fit-x', contains: 'padding' },
      data: { values: [...figure.points] },
      encoding: shared,
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 3, strokeCap: 'round' },
          encoding: {
            x: { field: 'low', type: 'quantitative', scale, title: 'accuracy', axis: shareAxis },
            x2: { field: 'high' },
          },
        },
        {
          mark: { type: 'point', size: 90, strokeWidth: 2, opacity: 1 },
          encoding: {
            x: { field: 'value', type: 'quantitative', title: 'accuracy' },
            shape: {
              field: 'measure',
              type: 'nominal',
              scale: { domain: [...figure.measures], range: ['circle', 'square'] },
              legend: {
                ...legend(figure.measures),
                symbolStrokeColor: variable('ink'),
                symbolFillColor: variable('panel'),
              },
            },
            fill: { value: variable('panel') },
          },
        },
        {
          mark: { type: 'text', dy: -13, fontSize: 12 },
          encoding: {
            x: { field: 'value', type: 'quantitative', title: 'accuracy' },
            text: { field: 'text' },
          },
        },
      ],
    },
    figure.description,
  );
}

const shareAxis = { tickCount: 5, labelExpr: "format(datum.value * 100, '~f') + ' %'" };

/** A legend above the plot, in as many columns as the longest name leaves room for. */
function legend(names: readonly string[]) {
  const labelLimit = 150;
  const longest = Math.min(labelLimit, Math.max(...names.map((name) => name.length)) * 7);
  const columns = Math.max(1, Math.floor((figureWidth - 50) / (longest + 32)));
  return { orient: 'top', title: null, columns, labelLimit, symbolSize: 80 } as const;
}

/** Vega is loaded here and only here: a command that draws nothing does not pay for it. */
async function draw(spec: TopLevelSpec, description: string): Promise<Markup> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const { spec: compiled } = vegaLite.compile(spec, { config });
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return html`<div class="figure" role="img" aria-label="${description}">${raw(inline(svg))}</div>`;
}

/** An SVG file's opening tag names XML and a fixed size; inside a page it needs neither. */
function inline(svg: string): string {
  const viewBox = /viewBox="([^"]*)"/.exec(svg)?.[1] ?? '';
  const [, , width = '0'] = viewBox.split(' ');
  const opening = `<svg viewBox="${viewBox}" style="--natural:${width}px" aria-hidden="true" focusable="false">`;
  return svg.replace(/^<svg[^>]*>/, opening);
}

const config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  padding: 4,
  view: { stroke: null },
  axis: {
    labelColor: variable('muted'),
    labelFontSize: 12,
    titleColor: variable('muted'),
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    gridColor: variable('grid'),
    domainColor: variable('line'),
    tickColor: variable('line'),
    labelOverlap: 'greedy',
  },
  axisX: { grid: false },
  axisBand: { labelFontSize: 13, labelColor: variable('ink'), labelLimit: 110, ticks: false, domain: false },
  legend: { labelColor: variable('ink'), labelFontSize: 12 },
} as const;

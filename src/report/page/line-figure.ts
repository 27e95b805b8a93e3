import type { Markup } from './html.js';
import { seriesStyle, variable } from './palette.js';
import { draw, figureWidth, legend, plotHeight, shareAxis } from './render-figure.js';

/** One point of a series, optionally with the interval from `low` to `high`. */
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
  /** Tick labels of the x axis; by default integers chosen by vega. */
  readonly xLabels?: readonly { readonly value: number; readonly text: string }[];
  readonly yTitle: string;
  /** If given, y values are shown as percentages within these bounds. */
  readonly yShare?: readonly [low: number, high: number];
  /** Points marked with a ring, one per series. */
  readonly rings?: readonly FigurePoint[];
  /** A dashed vertical line at this x. */
  readonly xMark?: number;
  /** Text alternative for screen readers. */
  readonly description: string;
}

/** A line chart with markers and, if given, interval bars. */
export async function lineFigure(figure: LineFigure): Promise<Markup> {
  const styles = figure.series.map((_, index) => seriesStyle(index));
  const domain = [...figure.series];
  const values = new Set(figure.points.map(({ y }) => y));
  const marked = evenlyMarked(figure);
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
                      ? { zero: values.size === 1, nice: true }
                      : { domain: [...figure.yShare], nice: false },
                  axis: yAxis,
                },
                strokeDash: {
                  field: 'series',
                  type: 'nominal',
                  scale: { domain, range: styles.map(({ dash }) => dash) },
                  legend: legend(domain),
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
              data: { values: marked },
              mark: { type: 'point', filled: true, size: 55, opacity: 1 },
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
            ...(figure.rings === undefined
              ? []
              : [
                  {
                    data: { values: [...figure.rings] },
                    mark: {
                      type: 'point' as const,
                      shape: 'circle',
                      filled: false,
                      size: 190,
                      strokeWidth: 1.5,
                      opacity: 1,
                    },
                    encoding: { y: { field: 'y', type: 'quantitative' as const, title: figure.yTitle } },
                  },
                ]),
          ],
        },
      ],
    },
    figure.description,
  );
}

/** The points with a marker: all of a short series, 13 to 25 of a long one. */
function evenlyMarked({ points, series }: LineFigure): FigurePoint[] {
  return series.flatMap((name) => {
    const ofSeries = points.filter((point) => point.series === name);
    const every = Math.ceil(ofSeries.length / 25);
    return ofSeries.filter((_, index) => index % every === 0);
  });
}

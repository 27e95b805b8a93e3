import type { Markup } from './html.js';
import { seriesStyle, variable } from './palette.js';
import { draw, figureWidth, plotHeight, shareAxis } from './render-figure.js';

/** One accuracy with its interval. */
export interface IntervalPoint {
  readonly series: string;
  readonly measure: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Text beside the mark. */
  readonly text: string;
}

export interface IntervalFigure {
  readonly points: readonly IntervalPoint[];
  readonly series: readonly string[];
  readonly measures: readonly string[];
  readonly description: string;
}

/** A dot plot with intervals, one row per series and measure, on an axis from 0 to 100 %. */
export async function intervalFigure(figure: IntervalFigure): Promise<Markup> {
  const beside = (side: 'left' | 'right') => ({
    // Place the text on the side with more room.
    transform: [{ filter: side === 'left' ? 'datum.value >= 0.5' : 'datum.value < 0.5' }],
    mark: {
      type: 'text' as const,
      align: side === 'left' ? ('right' as const) : ('left' as const),
      dx: side === 'left' ? -9 : 9,
      fontSize: 12,
    },
    encoding: {
      x: { field: side === 'left' ? 'low' : 'high', type: 'quantitative' as const },
      text: { field: 'text' },
    },
  });
  const lines = ['', ...figure.measures]; // the first line of a band is for the name
  const bandHeight = lines.length * 26;
  const height = Math.max(plotHeight, figure.series.length * bandHeight);
  return draw(
    {
      width: figureWidth,
      height,
      autosize: { type: 'fit-x', contains: 'padding' },
      data: { values: [...figure.points] },
      encoding: {
        y: {
          field: 'series',
          type: 'nominal',
          sort: [...figure.series],
          title: null,
          scale: { padding: 0 },
          axis: {
            labelAlign: 'left',
            labelBaseline: 'middle',
            labelPadding: -6,
            labelOffset: (-height / figure.series.length) * ((lines.length - 1) / 2 / lines.length),
          },
        },
        yOffset: { field: 'measure', type: 'nominal', scale: { domain: lines } },
        color: {
          field: 'series',
          type: 'nominal',
          scale: {
            domain: [...figure.series],
            range: figure.series.map((_, index) => seriesStyle(index).colour),
          },
          legend: null,
        },
      },
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 3, strokeCap: 'round' },
          encoding: {
            x: {
              field: 'low',
              type: 'quantitative',
              scale: { domain: [0, 1], nice: false },
              title: null,
              axis: { ...shareAxis, grid: true, labelOverlap: false },
            },
            x2: { field: 'high' },
          },
        },
        {
          mark: { type: 'point', size: 80, strokeWidth: 2, opacity: 1 },
          encoding: {
            x: { field: 'value', type: 'quantitative', title: null },
            shape: {
              field: 'measure',
              type: 'nominal',
              scale: { domain: [...figure.measures], range: ['circle', 'square'] },
              legend: null,
            },
            fill: { value: variable('page') },
          },
        },
        beside('left'),
        beside('right'),
      ],
    },
    figure.description,
  );
}

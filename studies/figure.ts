import { colours } from '../src/report/page/palette.js';
import type { Row } from './answer.js';

const rowHeight = 34;

/**
 * The differences in robust accuracy with their intervals, in points, as an SVG with its own background, for light or dark
 * mode; null if no arm has an interval.
 */
export async function differenceFigure(
  rows: readonly Row[],
  scheme: 'light' | 'dark',
): Promise<string | null> {
  const points = rows.flatMap(({ arm, difference }) =>
    difference === null || difference.robust.interval === null
      ? []
      : [
          {
            arm: `${arm.name} − ${arm.against}`,
            value: 100 * difference.robust.mean,
            low: 100 * difference.robust.interval[0],
            high: 100 * difference.robust.interval[1],
          },
        ],
  );
  if (points.length === 0) return null;
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const colour = (name: keyof typeof colours) => colours[name][scheme];
  const y = {
    field: 'arm',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { ticks: false, domain: false, labelLimit: 260 },
  } as const;
  const { spec } = vegaLite.compile({
    width: 380,
    height: points.length * rowHeight,
    padding: 12,
    background: colour('page'),
    data: { values: points },
    layer: [
      {
        data: { values: [{ zero: 0 }] },
        mark: { type: 'rule', color: colour('muted') },
        encoding: { x: { field: 'zero', type: 'quantitative' } },
      },
      {
        mark: { type: 'rule', strokeWidth: 3, color: colour('series1') },
        encoding: {
          y,
          x: {
            field: 'low',
            type: 'quantitative',
            title: 'difference in robust accuracy, points, 95 % interval',
          },
          x2: { field: 'high' },
        },
      },
      {
        mark: { type: 'point', filled: true, size: 90, opacity: 1, color: colour('series1') },
        encoding: { y, x: { field: 'value', type: 'quantitative' } },
      },
    ],
    config: {
      font: 'system-ui, sans-serif',
      view: { stroke: null },
      axis: {
        labelColor: colour('ink'),
        titleColor: colour('muted'),
        labelFontSize: 13,
        titleFontSize: 12,
        titleFontWeight: 'normal',
        gridColor: colour('grid'),
        domainColor: colour('line'),
        tickColor: colour('line'),
      },
      axisY: { grid: false },
    },
  });
  const view = new vega.View(vega.parse(spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

import type { Row } from './answer.js';
import { colour, type Scheme, svg } from './svg.js';

const rowHeight = 34;

/**
 * The differences in robust accuracy with their intervals, in points, as an SVG file for light or dark mode; null if no arm has
 * an interval.
 */
export async function differenceFigure(rows: readonly Row[], scheme: Scheme): Promise<string | null> {
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
  const y = {
    field: 'arm',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { ticks: false, domain: false, labelLimit: 260 },
  } as const;
  const x = {
    field: 'low',
    type: 'quantitative',
    title: 'difference in robust accuracy, points, 95 % interval',
  } as const;
  const blue = colour('series1', scheme);
  return svg(
    {
      width: 380,
      height: points.length * rowHeight,
      data: { values: points },
      layer: [
        {
          data: { values: [{ zero: 0 }] },
          mark: { type: 'rule', color: colour('muted', scheme) },
          encoding: { x: { field: 'zero', type: 'quantitative' } },
        },
        { mark: { type: 'rule', strokeWidth: 3, color: blue }, encoding: { y, x, x2: { field: 'high' } } },
        {
          mark: { type: 'point', filled: true, size: 90, opacity: 1, color: blue },
          encoding: { y, x: { field: 'value', type: 'quantitative' } },
        },
      ],
    },
    scheme,
  );
}

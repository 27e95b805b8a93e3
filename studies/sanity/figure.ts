import { colour, type Scheme, svg } from '../svg.js';
import type { NetworkChecks } from './checks.js';

/** Robust accuracy against ε, a line for each network, as an SVG file for light or dark mode. */
export function radiiFigure(networks: readonly NetworkChecks[], scheme: Scheme): Promise<string> {
  const names = [...new Set(networks.map(({ activation }) => activation))];
  const texts = Object.fromEntries(networks[0]!.radii.map(({ epsilon, text }) => [epsilon, text]));
  return svg(
    {
      width: 380,
      height: 220,
      data: {
        values: networks.flatMap(({ activation, seed, radii }) =>
          radii.map(({ epsilon, robust }) => ({ activation, seed, epsilon, robust: 100 * robust })),
        ),
      },
      mark: { type: 'line', point: { size: 40 }, strokeWidth: 2 },
      encoding: {
        x: {
          field: 'epsilon',
          type: 'quantitative',
          title: 'ε',
          axis: {
            values: Object.keys(texts).map(Number),
            labelExpr: `${JSON.stringify(texts)}[datum.value]`,
            labelOverlap: 'greedy',
            grid: false,
          },
        },
        y: { field: 'robust', type: 'quantitative', title: 'robust accuracy under APGD-CE, %' },
        detail: { field: 'seed', type: 'nominal' },
        color: {
          field: 'activation',
          type: 'nominal',
          scale: {
            domain: names,
            range: names.map((_, index) => colour(`series${index + 1}` as 'series1', scheme)),
          },
          legend: { title: null, orient: 'top' },
        },
      },
    },
    scheme,
  );
}

/** The loss surfaces side by side in one colour scale, as an SVG file for light or dark mode. */
export function surfaceFigure(networks: readonly NetworkChecks[], scheme: Scheme): Promise<string> {
  const axis = { tickCount: 5, grid: false };
  return svg(
    {
      data: {
        values: networks.flatMap(({ activation, surface: { at, loss } }) =>
          loss.flatMap((row, j) =>
            row.map((value, i) => ({ activation, along: at[i]!, across: at[j]!, loss: value })),
          ),
        ),
      },
      facet: { column: { field: 'activation', type: 'nominal', title: null, sort: null } },
      spec: {
        width: 200,
        height: 200,
        mark: 'rect',
        encoding: {
          x: {
            field: 'along',
            type: 'ordinal',
            title: 'along the gradient, ε',
            axis: { ...axis, labelOverlap: 'greedy', labelAngle: 0 },
          },
          y: {
            field: 'across',
            type: 'ordinal',
            sort: 'descending',
            title: 'across, ε',
            axis: { ...axis, labelOverlap: 'greedy' },
          },
          color: {
            field: 'loss',
            type: 'quantitative',
            scale: { range: [colour('grid', scheme), colour('series1', scheme)] },
            legend: { title: 'loss' },
          },
        },
      },
    },
    scheme,
  );
}

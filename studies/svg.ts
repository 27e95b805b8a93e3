import type { TopLevelSpec } from 'vega-lite';
import { colours } from '../src/report/page/palette.js';

export type Scheme = 'light' | 'dark';
export const schemes: readonly Scheme[] = ['light', 'dark'];

/** A colour of the palette, as light or dark mode has it. */
export const colour = (name: keyof typeof colours, scheme: Scheme): string => colours[name][scheme];

/** Renders a figure of a study as an SVG file of its own, with a background, for light or dark mode. */
export async function svg(spec: TopLevelSpec, scheme: Scheme): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const own = (name: keyof typeof colours) => colour(name, scheme);
  const config = {
    background: own('page'),
    padding: 12,
    font: 'system-ui, sans-serif',
    view: { stroke: null },
    axis: {
      labelColor: own('ink'),
      titleColor: own('muted'),
      labelFontSize: 13,
      titleFontSize: 12,
      titleFontWeight: 'normal' as const,
      gridColor: own('grid'),
      domainColor: own('line'),
      tickColor: own('line'),
    },
    axisY: { grid: false },
    header: { labelColor: own('ink'), labelFontSize: 13 },
    legend: { labelColor: own('ink'), titleColor: own('muted'), labelFontSize: 13 },
  };
  const { spec: compiled } = vegaLite.compile(spec, { config });
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' });
  const drawn = await view.toSVG();
  view.finalize();
  return `${drawn}\n`;
}

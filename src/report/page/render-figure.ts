/**
 * Renders figures: vega-lite compiles a specification and vega renders it to SVG in this process, without canvas or
 * browser. All colours are CSS variables of the page. Figures have the width of a phone (360 units) and are placed side
 * by side on wider screens, so that the text size does not change.
 */
import type { TopLevelSpec } from 'vega-lite';
import { html, type Markup, raw } from './html.js';
import { variable } from './palette.js';

/** Width of a figure with its axes, in CSS pixels at scale 1. */
export const figureWidth = 360;
/** Height of a plot without its axes. */
export const plotHeight = 190;

/** An axis in percent. */
export const shareAxis = { tickCount: 5, labelExpr: "format(datum.value * 100, '~f') + ' %'" };

/** Without fonts vega assumes this character width, relative to the font size. */
const characterWidth = 0.8;
const fontSize = 12;

/** A legend above the plot, with as many columns as the longest name allows. */
export function legend(names: readonly string[]) {
  const labelLimit = 240;
  const longest = Math.max(...names.map((name) => name.length)) * fontSize * characterWidth;
  const columns = Math.max(1, Math.floor((figureWidth - 50) / (Math.min(labelLimit, longest) + 28)));
  return { orient: 'top', title: null, columns, labelLimit } as const;
}

/**
 * Renders a figure; `description` is the text alternative for screen readers. Vega is imported here only, so that
 * commands without figures do not load it.
 */
export async function draw(spec: TopLevelSpec, description: string): Promise<Markup> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const { spec: compiled } = vegaLite.compile(spec, { config });
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return html`<div class="figure" role="img" aria-label="${description}">${raw(inline(svg))}</div>`;
}

/** Removes the XML namespace and the fixed size from the opening tag, for inline SVG. */
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
    labelFontSize: fontSize,
    titleColor: variable('muted'),
    titleFontSize: fontSize,
    titleFontWeight: 'normal',
    titlePadding: 8,
    gridColor: variable('grid'),
    domainColor: variable('line'),
    tickColor: variable('line'),
    labelOverlap: 'greedy',
  },
  axisX: { grid: false },
  axisBand: { labelFontSize: 13, labelColor: variable('ink'), labelLimit: 320, ticks: false, domain: false },
  legend: {
    labelColor: variable('ink'),
    labelFontSize: fontSize,
    symbolSize: 90,
    symbolStrokeWidth: 0,
    symbolOpacity: 1,
  },
} as const;

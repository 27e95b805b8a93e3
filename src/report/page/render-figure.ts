/**
 * Draws figures: vega-lite compiles a specification, vega renders it to SVG in this process, with no canvas
 * and no browser. All colours are CSS variables of the page. Figures are drawn for a column of one phone's
 * width (360 units) and placed side by side on wider screens, so their text keeps its size.
 */
import type { TopLevelSpec } from 'vega-lite';
import { html, type Markup, raw } from './html.js';
import { variable } from './palette.js';

/** Width of a figure with its axes, in CSS pixels at scale 1. */
export const figureWidth = 360;
/** Height of a plot without its axes. */
export const plotHeight = 190;

/** An axis of shares, in percent. */
export const shareAxis = { tickCount: 5, labelExpr: "format(datum.value * 100, '~f') + ' %'" };

/** Vega has no fonts here, so it takes every character to be this share of the font's size wide. */
const characterWidth = 0.8;
const fontSize = 12;

/** A legend above the plot, in as many columns as the longest name leaves room for. */
export function legend(names: readonly string[]) {
  const labelLimit = 240;
  const longest = Math.max(...names.map((name) => name.length)) * fontSize * characterWidth;
  const columns = Math.max(1, Math.floor((figureWidth - 50) / (Math.min(labelLimit, longest) + 28)));
  return { orient: 'top', title: null, columns, labelLimit } as const;
}

/**
 * A figure as a piece of the page; `description` is what a person who does not see it is told.
 * Vega is loaded here and only here: a command that draws nothing does not pay for it.
 */
export async function draw(spec: TopLevelSpec, description: string): Promise<Markup> {
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

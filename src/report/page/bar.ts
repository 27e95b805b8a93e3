import { html, type Markup } from './html.js';
import { type ColourName, variable } from './palette.js';

/** A segment of a bar. */
export interface Portion {
  /** Share of the bar's length, in [0, 1]. */
  readonly share: number;
  readonly colour: ColourName;
}

/** A stacked bar, hidden from screen readers because the numbers are beside it. */
export function shareBar(portions: readonly Portion[]): Markup {
  return html`<span class="bar" aria-hidden="true">${portions.map(({ share, colour }) => html`<span style="width:${String(Number((share * 100).toFixed(2)))}%;background:${variable(colour)}"></span>`)}</span>`;
}

/** Header of a column of bars for screen readers. */
export const barHeader = html`<span class="hidden">Bar</span>`;

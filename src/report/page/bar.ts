import { html, type Markup } from './html.js';
import { type ColourName, variable } from './palette.js';

/** A part of a bar. */
export interface Portion {
  /** Of the whole bar, 0 to 1. */
  readonly share: number;
  readonly colour: ColourName;
}

/** A bar of portions side by side, for the eye alone: the numbers stand beside it. */
export function shareBar(portions: readonly Portion[]): Markup {
  return html`<span class="bar" aria-hidden="true">${portions.map(({ share, colour }) => html`<span style="width:${String(Number((share * 100).toFixed(2)))}%;background:${variable(colour)}"></span>`)}</span>`;
}

/** What stands above a column of bars, for those who hear the table. */
export const barHeader = html`<span class="hidden">The same as a bar</span>`;

/** Tables: one that is folded away behind a figure, for those who want its numbers or cannot see it. */
import { html, type Markup } from './html.js';

export interface Table {
  readonly caption: string;
  readonly header: readonly string[];
  /** The first cell of a row names it. */
  readonly rows: readonly (readonly string[])[];
}

/** A table that scrolls sideways inside itself where the screen is narrow. */
export function table({ caption, header, rows }: Table): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption><span>${caption}</span></caption>
<thead><tr>${header.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(row)}</tbody>
</table></div>`;
}

/** The same, folded away until it is asked for. */
export function dataTable({ summary, ...rest }: Table & { readonly summary: string }): Markup {
  return html`<details><summary>${summary}</summary>${table(rest)}</details>`;
}

function row([name = '', ...cells]: readonly string[]): Markup {
  return html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
}

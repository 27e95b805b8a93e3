/** Tables, also collapsed ones that give the numbers of a figure. */
import { html, type Markup } from './html.js';

export interface Table {
  readonly caption: string;
  readonly header: readonly (string | Markup)[];
  /** The first cell of a row is its header. */
  readonly rows: readonly (readonly (string | Markup)[])[];
}

/** A table that scrolls horizontally on narrow screens; numeric columns are right-aligned, others left-aligned. */
export function table({ caption, header, rows }: Table): Markup {
  const isText = header.map((_, column) => rows.some((cells) => isTextual(cells[column])));
  const kind = (column: number) => isText[column] === true && html` class="text"`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption><span>${caption}</span></caption>
<thead><tr>${header.map((name, column) => html`<th scope="col"${kind(column)}>${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([name = '', ...cells]) =>
      html`<tr><th scope="row">${name}</th>${cells.map((cell, index) => html`<td${kind(index + 1)}>${cell}</td>`)}</tr>`,
  )}</tbody>
</table></div>`;
}

function isTextual(cell: string | Markup | undefined): boolean {
  return typeof cell === 'string' && !startsLikeNumber.test(cell);
}

/** `12`, `-0.5`, `8/255`, `< 0.001`, and the placeholders for a missing number. */
const startsLikeNumber = /^(?:[<=]?\s*[-−]?[\d.]|[-–]?$)/;

/** A collapsed table. */
export function dataTable({ summary, ...rest }: Table & { readonly summary: string }): Markup {
  return html`<details><summary>${summary}</summary>${table(rest)}</details>`;
}

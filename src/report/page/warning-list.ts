import { html, type Markup } from './html.js';

/** A section with the warnings of the images and the model, one sentence each; nothing if there are none. */
export function warningList(warnings: readonly string[]): Markup {
  if (warnings.length === 0) return html``;
  return html`<section aria-labelledby="warnings">
<h2 id="warnings">What was found in the images</h2>
<ul class="notice">${warnings.map((warning) => html`<li>${warning}</li>`)}</ul>
</section>`;
}

/** The worst-case outcome of every image: misclassified without attack, broken by an attack, or robust. */
import type { EvaluationResult } from '../../evaluation/result.js';
import { shareBar } from '../page/bar.js';
import { count, percent } from '../page/format.js';
import { html, type Markup } from '../page/html.js';
import { type ColourName, variable } from '../page/palette.js';

/** Maximum number of image ids listed per outcome. */
const listed = 1000;

export function outcomes(result: EvaluationResult): Markup {
  const groups = outcomesOf(result);
  return html`<section aria-labelledby="outcomes">
<h2 id="outcomes">Outcome of each image</h2>
${shareBar(groups.map(({ ids, colour }) => ({ share: ids.length / result.examples, colour })))}
<dl class="legend">${groups.map(
    ({ name, ids, colour }) =>
      html`<div><dt><span class="swatch" style="background:${variable(colour)}" aria-hidden="true"></span>${name}</dt><dd>${count(ids.length)} <small>${percent(ids.length / result.examples)}</small></dd></div>`,
  )}</dl>
<p class="aside">Worst case over the attacks: an image broken by one attack counts as broken.</p>
<details><summary>Image ids</summary>
${groups.map(({ name, ids }) => html`<h3>${name}</h3><p class="ids">${idsInWords(ids)}</p>`)}
</details>
</section>`;
}

interface Outcome {
  readonly name: string;
  readonly ids: readonly number[];
  readonly colour: ColourName;
}

/** The outcomes that occur: robust images first, then broken ones in the order of the attacks. */
function outcomesOf({ perExample, attacks }: EvaluationResult): Outcome[] {
  const ids = (belongs: (example: EvaluationResult['perExample'][number]) => boolean) =>
    perExample.filter(belongs).map(({ id }) => id);
  const brokenColours = ['series0', 'series3', 'series4', 'series5', 'series2'] as const;
  const names = [...new Set(attacks.map(({ name }) => name))];
  const all: Outcome[] = [
    { name: 'withstands every attack', ids: ids((e) => e.clean && e.brokenBy === null), colour: 'series1' },
    ...names.map((name, index) => ({
      name: `broken by ${name}`,
      ids: ids((e) => e.brokenBy === name),
      colour: brokenColours[index % brokenColours.length]!,
    })),
    { name: 'misclassified without attack', ids: ids((e) => !e.clean), colour: 'muted' },
  ];
  return all.filter((outcome) => outcome.ids.length > 0);
}

function idsInWords(ids: readonly number[]): string {
  const more = ids.length - listed;
  return `${ids.slice(0, listed).join(', ')}${more > 0 ? `, and ${count(more)} more, see the JSON of this evaluation` : ''}`;
}

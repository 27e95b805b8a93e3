/** The worst-case outcome of every image: misclassified without attack, broken by an attack, or robust. */
import type { EvaluationResult, ExampleResult } from '../../evaluation/result.js';
import { shareBar } from '../page/bar.js';
import { count, percent } from '../page/format.js';
import { html, type Markup } from '../page/html.js';
import { type ColourName, variable } from '../page/palette.js';

/** Maximum number of images listed per outcome. */
const listed = 1000;

export function outcomes(result: EvaluationResult): Markup {
  const groups = outcomesOf(result);
  const hasFiles = result.perExample.some(({ file }) => file !== undefined);
  return html`<section aria-labelledby="outcomes">
<h2 id="outcomes">Outcome of each image</h2>
${shareBar(groups.map(({ examples, colour }) => ({ share: examples.length / result.examples, colour })))}
<dl class="legend">${groups.map(
    ({ name, examples, colour }) =>
      html`<div><dt><span class="swatch" style="background:${variable(colour)}" aria-hidden="true"></span>${name}</dt><dd>${count(examples.length)} <small>${percent(examples.length / result.examples)}</small></dd></div>`,
  )}</dl>
<p class="aside">Worst case over the attacks: an image broken by one attack counts as broken.</p>
<details><summary>${hasFiles ? 'Files' : 'Image ids'}, and what was predicted</summary>
${groups.map(({ name, examples }) => html`<h3>${name}</h3><p class="ids">${inWords(examples)}</p>`)}
</details>
</section>`;
}

interface Outcome {
  readonly name: string;
  readonly examples: readonly ExampleResult[];
  readonly colour: ColourName;
}

/** The outcomes that occur: robust images first, then broken ones in the order of the attacks. */
function outcomesOf({ perExample, attacks }: EvaluationResult): Outcome[] {
  const those = (belongs: (example: ExampleResult) => boolean) => perExample.filter(belongs);
  const brokenColours = ['series0', 'series3', 'series4', 'series5', 'series2'] as const;
  const names = [...new Set(attacks.map(({ name }) => name))];
  const all: Outcome[] = [
    {
      name: 'withstands every attack',
      examples: those((e) => e.clean && e.brokenBy === null),
      colour: 'series1',
    },
    ...names.map((name, index) => ({
      name: `broken by ${name}`,
      examples: those((e) => e.brokenBy === name),
      colour: brokenColours[index % brokenColours.length]!,
    })),
    { name: 'misclassified without attack', examples: those((e) => !e.clean), colour: 'muted' },
  ];
  return all.filter((outcome) => outcome.examples.length > 0);
}

function inWords(examples: readonly ExampleResult[]): string {
  const more = examples.length - listed;
  return `${examples.slice(0, listed).map(inAWord).join(', ')}${more > 0 ? `, and ${count(more)} more, see the JSON of this evaluation` : ''}`;
}

/** `cat/0001.jpg (as dog)`: the wrong prediction, without attack if there is one, else under it. */
function inAWord({ id, file, clean, predicted, attacked }: ExampleResult): string {
  const wrong = clean ? attacked : predicted;
  return `${file ?? String(id)}${wrong === undefined ? '' : ` (as ${wrong})`}`;
}

/** Provenance of a report: command, versions, machine, seeds, digests, recipes. */
import { stringify } from 'yaml';
import { placeName } from '../../provenance/place.js';
import type { ReportInput } from '../input.js';
import { count } from '../page/format.js';
import { html, type Markup } from '../page/html.js';
import { table } from '../page/table.js';

export function provenance(input: ReportInput): Markup {
  const { data, networks } = input;
  const facts: readonly (readonly [string, string])[] = [
    ['Created', input.generated],
    ['Commit', input.commit ?? 'unknown'],
    ['Machine', input.machine],
    ['Seed', String(input.seed)],
    ...Object.entries(input.versions),
    ['Data', `${data.name}, ${count(data.examples)} examples, ${count(data.classes.length)} classes`],
    ['Classes', data.classes.join(', ')],
  ];
  return html`<section aria-labelledby="provenance">
<h2 id="provenance">Reproducing this report</h2>
<pre class="command"><code>${input.command}</code></pre>
<details><summary>Versions, machine, seeds and digests</summary>
${factList(facts)}
${table({
  caption: 'The networks and the test images',
  header: [
    'Network',
    'Activation',
    'Trained on',
    'Model',
    'Weights',
    'Evaluated on',
    'Images',
    'Pixels',
    'Seed',
    'Mode',
  ],
  rows: networks.map(({ name, activation, trainedOn, evaluation }) => [
    name,
    activation,
    trainedOn.join('; '),
    evaluation.model,
    evaluation.modelDigest,
    `${placeName(evaluation.engine)}, ${evaluation.precision.verdict}`,
    `${evaluation.data}, ${count(evaluation.examples)}`,
    evaluation.pixelsDigest,
    String(evaluation.seed),
    evaluation.mode,
  ]),
})}
</details>
${networks.map(({ name, recipe }) => html`<details><summary>Recipe of ${name}</summary><pre><code>${stringify(recipe)}</code></pre></details>`)}
</section>`;
}

/** A definition list of names and values. */
export function factList(facts: readonly (readonly [name: string, value: string])[]): Markup {
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

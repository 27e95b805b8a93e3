/** The table of attacks, the flags of the evaluations, and notes on how to read the report. */

import type { ReportInput } from './input.js';
import { count, percent } from './page/format.js';
import { html, type Markup } from './page/html.js';
import { table } from './page/table.js';
import { threatInWords } from './sentences.js';

export function attackTable({ networks }: ReportInput): Markup {
  const flags = networks.flatMap(({ name, evaluation }) =>
    evaluation.flags.map((flag) => ({ name, ...flag })),
  );
  return html`<section aria-labelledby="attacks">
<h2 id="attacks">The attacks</h2>
${flags.length > 0 && html`<ul class="notice">${flags.map((flag) => html`<li><strong>${flag.name}, ${flag.code}:</strong> ${flag.message}</li>`)}</ul>`}
${table({
  caption: 'The attacks in order; each runs on the images that the previous ones did not break',
  header: [
    'Network',
    'Attack',
    'Steps',
    'Restarts',
    'Attacked',
    'Broken',
    'Accuracy after it',
    'Forwards',
    'Backwards',
    'Seconds',
    'Loss',
  ],
  rows: networks.flatMap(({ name, evaluation }) =>
    evaluation.attacks.map((attack) => [
      name,
      attack.name,
      count(attack.steps),
      count(attack.restarts),
      count(attack.attacked),
      count(attack.broken),
      percent(attack.robustAfter),
      count(attack.forwards),
      count(attack.backwards),
      attack.seconds.toFixed(1),
      attack.loss,
    ]),
  ),
})}
</section>`;
}

export function howToRead({ threat }: Pick<ReportInput, 'threat'>): Markup {
  return html`<section aria-labelledby="reading">
<h2 id="reading">How to read this</h2>
<dl class="reading">
<div><dt>The threat</dt><dd>An attacker knows the network and alters an image within a limit: ${threatInWords(threat)}, on a scale from 0 (black) to 1 (white). That limit is ε.</dd></div>
<div><dt>Broken</dt><dd>An image is broken when an altered image within the limit is misclassified. Every adversarial image was verified on the unmodified network. Images misclassified without attack count as broken too.</dd></div>
<div><dt>Accuracy under attack is an upper bound</dt><dd>An attack that fails proves nothing. PGD follows the gradient and can miss; another attack may break more images, but never fewer in total.</dd></div>
<div><dt>The 95 % interval</dt><dd>Wilson's interval covers the uncertainty from the number of images. It does not cover how much another training run, with another seed, would differ.</dd></div>
</dl>
</section>`;
}

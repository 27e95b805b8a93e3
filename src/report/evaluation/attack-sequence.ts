/** What each attack of an evaluation broke, one after the other and alone, and what it cost. */
import type { AttackResult, EvaluationResult } from '../../evaluation/result.js';
import { barHeader, shareBar } from '../page/bar.js';
import { count, duration, percent } from '../page/format.js';
import { html, type Markup } from '../page/html.js';
import { dataTable, table } from '../page/table.js';

export function attackSequence({ attacks, clean, examples, batch }: EvaluationResult): Markup {
  const hasAlone = attacks.some(({ alone }) => alone !== undefined);
  return html`<section aria-labelledby="attacks">
<h2 id="attacks">What each attack broke</h2>
<p>One after the other, each on the images that those before it left standing. ${hasAlone && 'Alone: what it breaks of all images that are right without an attack.'}</p>
${table({
  caption: 'The attacks in their order',
  header: [
    'Attack',
    'Accuracy left',
    barHeader,
    'Attacked',
    'Broken',
    ...(hasAlone ? ['Broken alone', 'Accuracy alone'] : []),
    'Time',
  ],
  rows: [
    [
      'none',
      percent(clean),
      shareBar([{ share: clean, colour: 'series1' }]),
      '',
      '',
      ...(hasAlone ? ['', ''] : []),
      '',
    ],
    ...attacks.map((attack) => [
      attack.name,
      percent(attack.robustAfter),
      shareBar([{ share: attack.robustAfter, colour: 'series1' }]),
      count(attack.attacked),
      count(attack.broken),
      ...(hasAlone ? aloneCells(attack, examples) : []),
      duration(attack.seconds),
    ]),
  ],
})}
${dataTable({
  summary: 'What the attacks cost, and their settings',
  caption: `Passes count images through the network; ${count(batch.size)} images a batch`,
  header: [
    'Attack',
    'Forwards',
    'Backwards',
    'Seconds',
    'Loss',
    'Steps',
    'Length of a step',
    'Starts',
    'Targets',
  ],
  rows: attacks.map((attack) => [
    attack.name,
    count(attack.forwards),
    count(attack.backwards),
    attack.seconds.toFixed(1),
    attack.loss,
    count(attack.steps),
    attack.stepSize === null ? 'its own' : String(Number(attack.stepSize.toPrecision(3))),
    count(attack.restarts),
    count(attack.targets),
  ]),
})}
</section>`;
}

function aloneCells({ alone }: AttackResult, examples: number): [string, string] {
  if (alone === undefined) return ['-', '-'];
  return [count(alone.broken), percent((alone.attacked - alone.broken) / examples)];
}

/** The section on the attacks of an evaluation: images broken in sequence and alone, and the cost. */
import type { AttackResult, EvaluationResult } from '../../evaluation/result.js';
import { barHeader, shareBar } from '../page/bar.js';
import { count, duration, percent } from '../page/format.js';
import { html, type Markup } from '../page/html.js';
import { dataTable, table } from '../page/table.js';

export function attackSequence({ attacks, clean, examples, batch }: EvaluationResult): Markup {
  const hasAlone = attacks.some(({ alone }) => alone !== undefined);
  return html`<section aria-labelledby="attacks">
<h2 id="attacks">What each attack broke</h2>
<p>The attacks run in sequence, each on the images that the previous ones did not break. ${hasAlone && 'Alone: the attack by itself on all correctly classified images.'}</p>
${table({
  caption: 'The attacks in order',
  header: [
    'Attack',
    'Accuracy after it',
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
  summary: 'Cost and settings of the attacks',
  caption: `Passes are counted in images; the batch size is ${count(batch.size)}`,
  header: ['Attack', 'Forwards', 'Backwards', 'Seconds', 'Loss', 'Steps', 'Step size', 'Restarts', 'Targets'],
  rows: attacks.map((attack) => [
    attack.name,
    count(attack.forwards),
    count(attack.backwards),
    attack.seconds.toFixed(1),
    attack.loss,
    count(attack.steps),
    attack.stepSize === null ? 'set by the attack' : String(Number(attack.stepSize.toPrecision(3))),
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

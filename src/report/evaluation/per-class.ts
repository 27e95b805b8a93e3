/** Clean and robust accuracy per class, the least robust first. */
import type { ClassResult, EvaluationResult } from '../../evaluation/result.js';
import { barHeader, shareBar } from '../page/bar.js';
import { count, percent } from '../page/format.js';
import { html, type Markup } from '../page/html.js';
import { dataTable, table } from '../page/table.js';

/** Maximum number of classes shown; of more, the least robust. */
const shown = 20;

export function perClass({ perClass: classes }: EvaluationResult): Markup {
  if (classes.length === 0) return html``;
  const worstFirst = [...classes].sort(
    (a, b) => a.robust - b.robust || a.clean - b.clean || a.label - b.label,
  );
  const isCut = worstFirst.length > shown;
  const first = worstFirst.slice(0, shown);
  return html`<section aria-labelledby="classes">
<h2 id="classes">Accuracy per class</h2>
<p>${isCut ? `The ${shown} least robust of ${count(classes.length)} classes.` : 'The least robust class first.'} The solid part of a bar is robust accuracy; the faint part is correct only without attack.</p>
${table({
  caption: 'Robust: under attack. Clean: without attack',
  header: ['Class', barHeader, 'Robust', 'Clean', 'Images'],
  rows: first.map((each) => [
    each.class,
    barOf(each),
    percent(each.robust),
    percent(each.clean),
    count(each.examples),
  ]),
})}
${
  isCut &&
  dataTable({
    summary: `All ${count(classes.length)} classes`,
    caption: 'Accuracy of every class, the least robust first',
    header: ['Class', 'Robust', 'Clean', 'Images'],
    rows: worstFirst.map((each) => [
      each.class,
      percent(each.robust),
      percent(each.clean),
      count(each.examples),
    ]),
  })
}
<p class="aside">Each class has only some of the images, so its accuracies are less certain.</p>
</section>`;
}

function barOf({ robust, clean }: ClassResult): Markup {
  return shareBar([
    { share: robust, colour: 'series1' },
    { share: clean - robust, colour: 'tint' },
  ]);
}

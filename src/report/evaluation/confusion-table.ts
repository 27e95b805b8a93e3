/** Which classes the model takes for which, without attack. */
import { confusionOf } from '../../evaluation/confusion.js';
import type { EvaluationResult } from '../../evaluation/result.js';
import { count } from '../page/format.js';
import { html, type Markup } from '../page/html.js';
import { table } from '../page/table.js';

/** The most classes of a matrix; of more, the pairs that are confused most are listed. */
const widest = 15;
/** The most pairs listed. */
const listed = 20;

export function confusionTable(result: EvaluationResult): Markup {
  const confusion = confusionOf(result);
  if (confusion === null) return html``;
  const { classes, counts } = confusion;
  return html`<section aria-labelledby="confusion">
<h2 id="confusion">What is taken for what</h2>
${classes.length <= widest ? matrix(classes, counts) : pairs(classes, counts)}
</section>`;
}

function matrix(classes: readonly string[], counts: readonly (readonly number[])[]): Markup {
  return table({
    caption: 'Images without attack: a row for each class, a column for what was predicted',
    header: ['', ...classes],
    rows: classes.map((name, row) => [
      name,
      ...counts[row]!.map((each, column) =>
        row === column ? html`<strong>${count(each)}</strong>` : count(each),
      ),
    ]),
  });
}

function pairs(classes: readonly string[], counts: readonly (readonly number[])[]): Markup {
  const confused = classes
    .flatMap((name, row) =>
      counts[row]!.map((times, column) => ({ name, as: classes[column]!, times, isRight: row === column })),
    )
    .filter(({ times, isRight }) => times > 0 && !isRight)
    .sort((a, b) => b.times - a.times)
    .slice(0, listed);
  if (confused.length === 0) return html`<p>No image is misclassified without attack.</p>`;
  return table({
    caption: `The ${confused.length} pairs of classes that are confused most, without attack`,
    header: ['Class', 'Predicted', 'Images'],
    rows: confused.map(({ name, as, times }) => [name, as, count(times)]),
  });
}

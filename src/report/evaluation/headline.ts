/** The headline of an evaluation's page: clean and robust accuracy, threat model, attacks and flags. */
import { fewImages } from '../../evaluation/few-images.js';
import type { EvaluationResult } from '../../evaluation/result.js';
import { weightsInWords } from '../../evaluation/weights-in-words.js';
import { count, duration, list, percent, percentRange, time } from '../page/format.js';
import { html, type Markup } from '../page/html.js';
import { threatInSymbols, threatInWords } from '../sentences.js';
import type { EvaluationPageInput } from './input.js';

export function evaluationHeadline({ result, cleanInterval, generated }: EvaluationPageInput): Markup {
  const { data, examples, model, clean, robust, interval, attacks, seconds, weights } = result;
  const few = fewImages(result);
  return html`<header>
<p class="eyebrow">${data} · ${threatInSymbols(result)} · ${time(generated)}</p>
<h1>Robustness of ${lastPart(model)}</h1>
<p class="verdict">Of ${count(examples)} images the model classifies ${percent(clean)} correctly without attack, and at most ${percent(robust)} under attack: ${threatInWords(result)}.</p>
</header>
<section aria-labelledby="headline">
<h2 id="headline">Clean and robust accuracy</h2>
${few !== null && html`<p class="notice">${few}</p>`}
<article class="card">
<dl class="figures">
<div><dt>Clean images</dt><dd>${percent(clean)}<small>${percentRange(cleanInterval)}</small></dd></div>
<div><dt>Under attack, ${threatInSymbols(result)}</dt><dd>${percent(robust)}<small>${percentRange(interval)}</small></dd></div>
</dl>
${weights !== null && html`<p class="aside">Measured: ${weightsInWords(weights)}.</p>`}
<p class="aside">${modeInWords(result)} ${list(attacks.map(({ name }) => name))} took ${duration(seconds)}.</p>
</article>
<p class="aside">The range below a number is its 95 % confidence interval, given the number of images.</p>
</section>`;
}

/** The flags raised by the checks. Every message includes a remedy. */
export function flagBox({ flags }: EvaluationResult): Markup {
  if (flags.length === 0)
    return html`<section aria-labelledby="flags">
<h2 id="flags">Checks</h2>
<p>No check raised a flag.</p>
</section>`;
  return html`<section aria-labelledby="flags">
<h2 id="flags">Read this before relying on these numbers</h2>
<ul class="notice flags">${flags.map(({ code, message }) => html`<li><strong>${code}</strong> ${message}</li>`)}</ul>
</section>`;
}

/** A sentence on the set of attacks. */
export function modeInWords({ mode }: Pick<EvaluationResult, 'mode'>): string {
  return {
    standard: "Mode standard: AutoAttack's four standard attacks, unchanged.",
    plus: "Mode plus: AutoAttack's larger set, unchanged.",
    rand: "Mode rand: AutoAttack's set for randomised models, unchanged.",
    custom: 'Mode custom: attacks chosen by the user; not comparable with AutoAttack results.',
  }[mode];
}

/** The last component of a path: `silu` for `runs/silu/`. */
function lastPart(path: string): string {
  return (
    path
      .split(/[\\/]/)
      .filter((part) => part !== '')
      .at(-1) ?? path
  );
}

/** The head of an evaluation's page: the two accuracies, under which threat, by which set of attacks, and the flags. */
import type { EvaluationResult } from '../../evaluation/result.js';
import { count, duration, list, percent, percentRange, time } from '../page/format.js';
import { html, type Markup } from '../page/html.js';
import { threatInSymbols, threatInWords } from '../sentences.js';
import type { EvaluationPageInput } from './input.js';

export function evaluationHeadline({ result, cleanInterval, generated }: EvaluationPageInput): Markup {
  const { data, examples, model, clean, robust, interval, attacks, seconds } = result;
  return html`<header>
<p class="eyebrow">${data} · ${threatInSymbols(result)} · ${time(generated)}</p>
<h1>Robustness of ${lastPart(model)}</h1>
<p class="verdict">Of ${count(examples)} images the model gets ${percent(clean)} right as they are, and at most ${percent(robust)} under attack: ${threatInWords(result)}.</p>
</header>
<section aria-labelledby="headline">
<h2 id="headline">The numbers that matter</h2>
<article class="card">
<dl class="figures">
<div><dt>Images as they are</dt><dd>${percent(clean)}<small>${percentRange(cleanInterval)}</small></dd></div>
<div><dt>Under attack, ${threatInSymbols(result)}</dt><dd>${percent(robust)}<small>${percentRange(interval)}</small></dd></div>
</dl>
<p class="aside">${modeInWords(result)} ${list(attacks.map(({ name }) => name))} took ${duration(seconds)}.</p>
</article>
<p class="aside">The range below a number is its 95 % interval: how far it may be off because only so many images were tried.</p>
</section>`;
}

/** What the checks found. Every message says what to do next. */
export function flagBox({ flags }: EvaluationResult): Markup {
  if (flags.length === 0)
    return html`<section aria-labelledby="flags">
<h2 id="flags">What the checks found</h2>
<p>Nothing: no check that was made speaks against these numbers.</p>
</section>`;
  return html`<section aria-labelledby="flags">
<h2 id="flags">Read this before you rely on these numbers</h2>
<ul class="notice flags">${flags.map(({ code, message }) => html`<li><strong>${code}</strong> ${message}</li>`)}</ul>
</section>`;
}

/** Which set of attacks it was, for a person. */
export function modeInWords({ mode }: Pick<EvaluationResult, 'mode'>): string {
  return {
    standard: "Mode standard: AutoAttack's own four attacks, with nothing changed.",
    plus: "Mode plus: AutoAttack's larger set, with nothing changed.",
    rand: "Mode rand: AutoAttack's set for models that answer at random, with nothing changed.",
    custom: "Mode custom: attacks of the user's choice, so no figure to put beside AutoAttack's.",
  }[mode];
}

/** `runs/silu/` is `silu`. */
function lastPart(path: string): string {
  return (
    path
      .split(/[\\/]/)
      .filter((part) => part !== '')
      .at(-1) ?? path
  );
}

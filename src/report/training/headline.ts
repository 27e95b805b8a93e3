/** The headline of a training report: title, verdict, notice, and one card per network with its accuracies. */

import { fewImages } from '../../evaluation/few-images.js';
import { weightsInWords } from '../../evaluation/weights-in-words.js';
import type { ReportInput, ReportNetwork } from '../input.js';
import { count, duration, epsilon, percent, percentRange, pValue, time } from '../page/format.js';
import { html, type Markup } from '../page/html.js';
import { seriesStyle } from '../page/palette.js';
import { table } from '../page/table.js';
import {
  attackNames,
  comparisonInWords,
  oneSeed,
  smoothLoses,
  threatInSymbols,
  verdictSentence,
} from '../sentences.js';

export function headline(input: ReportInput): Markup {
  const comparison = comparisonInWords(input);
  const loses = smoothLoses(input);
  const few = fewImages(input.networks[0]!.evaluation);
  return html`<header>
<p class="eyebrow">${input.data.name} · ${threatInSymbols(input.threat)} · ${time(input.generated)}</p>
<h1>${input.title}</h1>
<p class="subtitle">${input.subtitle}</p>
<p class="verdict">${verdictSentence(input)}</p>
<p class="notice"><strong>Read this first:</strong> ${input.notice}</p>
</header>
<section aria-labelledby="headline">
<h2 id="headline">Clean and robust accuracy</h2>
${few !== null && html`<p class="notice">${few}</p>`}
<div class="cards">${input.networks.map((network, index) => card(input, network, index))}</div>
${differenceTable(input)}
${loses !== undefined && html`<p class="comparison">${loses}</p>`}
${comparison !== undefined && html`<p class="comparison">${comparison}</p>`}
${input.networks.length > 2 && allPairs(input)}
<p class="aside">The range after a number is its 95 % confidence interval, given the number of images.</p>
</section>`;
}

/** In what the runs differ, unless it is the activation alone, which every card names. */
function differenceTable({ differences, networks, isOfActivation }: ReportInput): Markup | false {
  if (isOfActivation) return false;
  return table({
    caption: 'In what these runs differ',
    header: ['', ...networks.map(({ name }) => name)],
    rows: differences.map(({ what, values }) => [what, ...values]),
  });
}

/** With more than two networks, each pair in a row. */
function allPairs({ comparisons }: ReportInput): Markup {
  return html`${table({
    caption: 'Exact McNemar tests of all pairs',
    header: ['Networks', 'Robust only for the first', 'Only for the second', 'p, Holm-adjusted'],
    rows: comparisons.map(({ first, other, onlyFirstRight, onlyOtherRight, pValue: p }) => [
      `${first} and ${other}`,
      count(onlyFirstRight),
      count(onlyOtherRight),
      pValue(p).replace(/^=\s/, ''),
    ]),
  })}
<p class="aside">Images that only one of the two networks withstands. ${oneSeed}</p>`;
}

function card(input: ReportInput, network: ReportNetwork, index: number): Markup {
  const { evaluation } = network;
  const { epochs } = network;
  return html`<article class="card" style="--series:${seriesStyle(index).colour}">
<h3><span>${network.name}</span></h3>
${network.formula !== undefined && html`<p class="formula">${network.formula}</p>`}
<dl class="figures">
<div><dt>Clean images</dt><dd>${percent(evaluation.clean)}<small>${percentRange(network.cleanInterval)}</small></dd></div>
<div><dt>Under ${attackNames(network)}, ${epsilon(input.threat.epsilonText)}</dt><dd>${percent(evaluation.robust)}<small>${percentRange(evaluation.interval)}</small></dd></div>
</dl>
${evaluation.weights !== null && html`<p class="aside">Measured: ${weightsInWords(evaluation.weights)}.</p>`}
<p class="aside">${count(network.parameters)} parameters · ${count(epochs.length)} ${epochs.length === 1 ? 'epoch' : 'epochs'} in ${duration(network.trainingSeconds)}</p>
${network.stoppedEarly !== undefined && html`<p class="aside">${network.stoppedEarly}</p>`}
</article>`;
}

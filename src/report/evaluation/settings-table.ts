/** Provenance of an evaluation: command, versions, machine, seed, digests. */

import { weightsInWords } from '../../evaluation/weights-in-words.js';
import { count, duration } from '../page/format.js';
import { html, type Markup } from '../page/html.js';
import { threatInSymbols } from '../sentences.js';
import { factList } from '../training/provenance.js';
import type { EvaluationPageInput } from './input.js';

export function evaluationFacts({ result, generated, machine }: EvaluationPageInput): Markup {
  const { engine, batch, precision, search } = result;
  return html`<section aria-labelledby="provenance">
<h2 id="provenance">Reproducing this evaluation</h2>
<pre class="command"><code>${result.command}</code></pre>
${factList([
  ['Model', result.model],
  ['Model digest', result.modelDigest],
  ...(result.weights === null ? [] : [['Weights', weightsInWords(result.weights)] as const]),
  ['Images', `${count(result.examples)} of ${result.data}`],
  ['Pixel digest', result.pixelsDigest],
  ['Threat model', threatInSymbols(result)],
  ['Mode', result.mode],
  ['Seed', String(result.seed)],
  [
    'Batch',
    `${count(batch.size)} images, ${batch.measured === null ? 'as given' : 'the fastest of those measured'}`,
  ],
  ['Time', duration(result.seconds)],
  ['Satin', `${result.satin}, commit ${engine.commit ?? 'unknown'}`],
  ['libtorch', `${engine.libtorch}, ${engine.capability}`],
  ['Node', engine.node],
  ['Machine', `${machine}, ${engine.threads} ${engine.threads === 1 ? 'thread' : 'threads'}`],
  ['Device', engine.card === null ? engine.device : `${engine.device}, ${engine.card}`],
  ['Precision', `attacks search in ${precision.search}, verdicts are of ${precision.verdict}`],
  ['Attacks run by', search],
  ['Created', generated],
])}
</section>`;
}

/** The page of attacked images: a person's own pictures before and after. */

import { gallerySection, theModel } from '../gallery.js';
import type { GalleryExample, Prediction } from '../input.js';
import { count, distance, list, percent, time } from '../page/format.js';
import { html } from '../page/html.js';
import { page } from '../page/page.js';
import { table } from '../page/table.js';
import { threatInSymbols, threatInWords } from '../sentences.js';
import { factList } from '../training/provenance.js';
import type { AttackedPicture, AttackedPictures } from './result.js';
import { outcomeInWords } from './result.js';

/** One self-contained HTML document; `gallery` shows one network, `theModel`. */
export function renderAttackPage(
  result: AttackedPictures,
  gallery: readonly GalleryExample[],
): Promise<string> {
  const { model, attack, images } = result;
  const title = `${images.length === 1 ? 'A picture' : 'Pictures'} under attack`;
  const facts = [
    ['Model', model],
    ['Its digest', result.modelDigest],
    ['Attack', `${attack}, ${threatInSymbols(result)}, seed ${result.seed}`],
    ['Pictures', `brought to size by: ${result.resize}; what counts as right was ${result.labels}`],
    ['Satin', result.satin],
    ['libtorch', result.engine],
    ['Made', result.made],
  ] as const;
  return page({
    title,
    body: html`<header>
<p class="eyebrow">${attack} · ${threatInSymbols(result)} · ${time(result.made)}</p>
<h1>${title}</h1>
<p class="verdict">${verdict(result)}</p>
</header>
<section aria-labelledby="answers">
<h2 id="answers">What the model says</h2>
${table({
  caption: 'Before and after the attack, with the probability of each answer',
  header: ['Picture', 'Right is', 'Before', 'After', 'Outcome', 'Distance', 'Its 8-bit PNG'],
  rows: images.map((picture) => [
    picture.image,
    picture.label,
    spoken(picture.before),
    spoken(picture.after),
    outcomeInWords[picture.outcome],
    distance(picture.distance, result),
    pngInWords(picture),
  ]),
})}
</section>
${gallerySection({ gallery, names: [theModel], threat: result })}
<section aria-labelledby="provenance">
<h2 id="provenance">To make it again</h2>
<pre class="command"><code>${result.command}</code></pre>
${factList(facts)}
</section>`,
  });
}

/** What becomes of an adversarial picture that is kept with 8 bits a channel. */
export function pngInWords({ outcome, png }: AttackedPicture): string {
  if (outcome !== 'broken') return '-';
  return png.fools ? 'fools it too' : 'fools it no longer';
}

function spoken({ class: name, probability }: Prediction): string {
  return `${name} ${percent(probability)}`;
}

function verdict(result: AttackedPictures): string {
  const { attack, images } = result;
  const of = (outcome: AttackedPicture['outcome']) =>
    images.filter((picture) => picture.outcome === outcome).length;
  const parts = [
    `fooled the model with ${count(of('broken'))} of ${count(images.length)}`,
    ...(of('stood') > 0 ? [`found nothing for ${count(of('stood'))}`] : []),
  ];
  const wrong = of('wrong') > 0 ? ` ${count(of('wrong'))} were misclassified without any attack.` : '';
  return `${attack} (${threatInWords(result)}) ${list(parts)}.${wrong}`;
}

/** The page of `satin attack`: the user's images before and after the attack. */

import { placeName } from '../../provenance/place.js';
import { gallerySection, theModel } from '../gallery.js';
import type { GalleryExample, Prediction } from '../input.js';
import { count, distance, list, percent, time } from '../page/format.js';
import { html } from '../page/html.js';
import { page } from '../page/page.js';
import { table } from '../page/table.js';
import { warningList } from '../page/warning-list.js';
import { threatInSymbols, threatInWords } from '../sentences.js';
import { factList } from '../training/provenance.js';
import type { AttackedPicture, AttackedPictures } from './result.js';
import { outcomeInWords } from './result.js';

/** Renders one self-contained HTML document; `gallery` shows one network, `theModel`. */
export function renderAttackPage(
  result: AttackedPictures,
  gallery: readonly GalleryExample[],
): Promise<string> {
  const { model, attack, images } = result;
  const title = `${images.length === 1 ? 'An image' : 'Images'} under attack`;
  const facts = [
    ['Model', model],
    ['Model digest', result.modelDigest],
    ['Attack', `${attack}, ${threatInSymbols(result)}, seed ${result.seed}`],
    ['Images', `resized by: ${result.resize}; labels: ${result.labels}`],
    ['Satin', result.satin],
    ['libtorch', result.engine],
    ['Device', placeName(result)],
    ['Created', result.made],
  ] as const;
  return page({
    title,
    body: html`<header>
<p class="eyebrow">${attack} · ${threatInSymbols(result)} · ${time(result.made)}</p>
<h1>${title}</h1>
<p class="verdict">${verdict(result)}</p>
</header>
<section aria-labelledby="answers">
<h2 id="answers">Predictions</h2>
${table({
  caption: 'Predictions before and after the attack, with their probabilities',
  header: ['Image', 'Label', 'Before', 'After', 'Outcome', 'Distance', 'As 8-bit PNG'],
  rows: images.map((picture) => [
    picture.image,
    picture.label,
    predictionInWords(picture.before),
    predictionInWords(picture.after),
    outcomeInWords[picture.outcome],
    distance(picture.distance, result),
    pngInWords(picture),
  ]),
})}
</section>
${warningList(result.warnings)}
${gallerySection({ gallery, names: [theModel], threat: result })}
<section aria-labelledby="provenance">
<h2 id="provenance">Reproducing this page</h2>
<pre class="command"><code>${result.command}</code></pre>
${factList(facts)}
</section>`,
  });
}

/** Whether an adversarial image is still misclassified after rounding to 8 bits per channel. */
export function pngInWords({ outcome, png }: AttackedPicture): string {
  if (outcome !== 'broken') return '-';
  return png.fools ? 'still fools it' : 'no longer fools it';
}

function predictionInWords({ class: name, probability }: Prediction): string {
  return `${name} ${percent(probability)}`;
}

function verdict(result: AttackedPictures): string {
  const { attack, images } = result;
  const of = (outcome: AttackedPicture['outcome']) =>
    images.filter((picture) => picture.outcome === outcome).length;
  const parts = [
    `fooled the model with ${count(of('broken'))} of ${count(images.length)}`,
    ...(of('stood') > 0 ? [`failed on ${count(of('stood'))}`] : []),
  ];
  const wrong = of('wrong') > 0 ? ` ${count(of('wrong'))} were misclassified without attack.` : '';
  return `${attack} (${threatInWords(result)}) ${list(parts)}.${wrong}`;
}

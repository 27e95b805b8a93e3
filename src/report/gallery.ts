/** The gallery: each image, what the attack on each network made of it, and what the network says of both. */

import { magnification, magnifiedChange, pictureUrl } from './images.js';
import type { GalleryExample, GalleryVerdict, Picture, Prediction, ThreatModel } from './input.js';
import { percent } from './page/format.js';
import { html, type Markup } from './page/html.js';
import { seriesStyle } from './page/palette.js';
import { threatInSymbols } from './sentences.js';

/** Characters of PNG in base64 after which no further example is put into the page. */
const budget = 800_000;

/** What the one network of a page is called where a report of several names them. */
export const theModel = 'the model';

export interface Gallery {
  readonly gallery: readonly GalleryExample[];
  /** Of the networks, in the order of the report: it chooses their colours. */
  readonly names: readonly string[];
  readonly threat: ThreatModel;
}

/** Nothing where there is no example. */
export async function gallerySection({ gallery, names, threat }: Gallery): Promise<Markup> {
  const largest = Math.max(...gallery.flatMap(({ image }) => [image.width, image.height]));
  const factor = magnification(gallery);
  const cards: Markup[] = [];
  let characters = 0;
  for (const example of gallery) {
    const urls = await pictureUrls(example, factor);
    characters += urls.image.length + urls.networks.reduce((sum, pair) => sum + pair.join('').length, 0);
    if (characters > budget && cards.length > 0) break;
    cards.push(card({ example, urls, factor, order: names }));
  }
  if (cards.length === 0) return html``;
  const omitted = gallery.length - cards.length;
  return html`<section aria-labelledby="gallery">
<h2 id="gallery">What the attack does</h2>
<p>For each image: the image itself, the one that the attack${names.length > 1 && ' on each network'} made of it (${threatInSymbols(threat)}), and the change between them, <strong>magnified ${String(factor)} times</strong>; mid-grey is no change. <span class="right"><span aria-hidden="true">✓</span> right</span>, <span class="wrong"><span aria-hidden="true">✗</span> wrong</span>; the number is the probability the network gives to its answer.</p>
<div class="gallery" style="--small:${shownSide(largest, 96)}px;--large:${shownSide(largest, 128)}px">${cards}</div>
<p class="aside">${omitted > 0 && `${omitted} more examples are left out to keep this file small. `}The pictures are PNGs of 8 bits a channel, for looking only: rounding to 8 bits changes ε. The numbers come from the exact 32-bit images.</p>
</section>`;
}

interface PictureUrls {
  readonly image: string;
  /** Adversarial image and magnified change, one pair a network. */
  readonly networks: readonly (readonly [adversarial: string, change: string])[];
}

async function pictureUrls({ image, networks }: GalleryExample, factor: number): Promise<PictureUrls> {
  return {
    image: await pictureUrl(image),
    networks: await Promise.all(
      networks.map(
        async ({ adversarial }) =>
          [
            await pictureUrl(adversarial),
            await pictureUrl(magnifiedChange(image, adversarial, factor)),
          ] as const,
      ),
    ),
  };
}

interface Card {
  readonly example: GalleryExample;
  readonly urls: PictureUrls;
  readonly factor: number;
  /** Names of the networks in the order of the report: it chooses their colours. */
  readonly order: readonly string[];
}

function card({ example, urls, factor, order }: Card): Markup {
  const { label, image, networks } = example;
  return html`<article class="card example">
<h3>${label} <small>${nameOf(example)}</small></h3>
<div class="row">
${picture(urls.image, image, `The picture ${nameOf(example)}, ${label}, as it is`)}
<div class="says"><p class="aside">the image as it is</p>${networks.map(({ name, clean }) => answer({ name, prediction: clean, label, order }))}</div>
</div>
${networks.map((verdict, index) => attackedRow({ verdict, example, pair: urls.networks[index]!, factor, order }))}
</article>`;
}

function nameOf({ id, name = `image ${id}` }: GalleryExample): string {
  return name;
}

function attackedRow(row: {
  readonly verdict: GalleryVerdict;
  readonly example: GalleryExample;
  readonly pair: readonly [adversarial: string, change: string];
  readonly factor: number;
  readonly order: readonly string[];
}): Markup {
  const { verdict, example, pair, factor, order } = row;
  const { name, adversarial, attacked } = verdict;
  const subject = `${nameOf(example)}, ${example.label}`;
  return html`<div class="row">
${picture(pair[0], adversarial, `The same picture, ${subject}, after the attack on ${name}`)}
${picture(pair[1], adversarial, `What the attack on ${name} changed in ${subject}, magnified ${factor} times`)}
<div class="says"><p class="aside">after the attack</p>${answer({ name, prediction: attacked, label: example.label, order })}</div>
</div>`;
}

/** One network's answer; right and wrong differ by sign and by a word for screen readers, not by colour alone. */
function answer(said: {
  readonly name: string;
  readonly prediction: Prediction;
  readonly label: string;
  readonly order: readonly string[];
}): Markup {
  const { name, prediction, label, order } = said;
  const right = prediction.class === label;
  const colour = seriesStyle(Math.max(0, order.indexOf(name))).colour;
  return html`<p class="answer" style="--series:${colour}">${order.length > 1 && html`<b>${name}</b> `}<span class="${right ? 'right' : 'wrong'}"><span aria-hidden="true">${right ? '✓' : '✗'}</span><span class="hidden">${right ? 'right:' : 'wrong:'}</span> ${prediction.class}</span> <span class="probability">${percent(prediction.probability, 0)}</span></p>`;
}

function picture(url: string, { width, height }: Picture, text: string): Markup {
  return html`<img src="${url}" width="${width}" height="${height}" alt="${text}" class="${width >= height ? 'wide' : 'tall'}">`;
}

/** The largest whole multiple of a side that fits, so that pixels stay square; large pictures are shrunk. */
function shownSide(side: number, available: number): number {
  return side > available ? available : Math.floor(available / side) * side;
}

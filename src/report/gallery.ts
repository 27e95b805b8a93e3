/** The gallery: each image with its adversarial example for each network, and the predictions for both. */

import { magnification, magnifiedChange, pictureUrl } from './images.js';
import type { GalleryExample, GalleryVerdict, Picture, Prediction, ThreatModel } from './input.js';
import { percent } from './page/format.js';
import { html, type Markup } from './page/html.js';
import { seriesStyle } from './page/palette.js';
import { threatInSymbols } from './sentences.js';

/** Limit on base64 characters of PNGs, after which further examples are omitted. */
const budget = 800_000;

/** Name of the network on a page of a single network. */
export const theModel = 'the model';

export interface Gallery {
  readonly gallery: readonly GalleryExample[];
  /** Names of the networks in the order of the report, which determines their colours. */
  readonly names: readonly string[];
  readonly threat: ThreatModel;
}

/** Renders the gallery; empty without examples. */
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
<h2 id="gallery">Adversarial examples</h2>
<p>For each image: the original, its adversarial example${names.length > 1 && ' for each network'} (${threatInSymbols(threat)}), and the perturbation, <strong>magnified ${String(factor)} times</strong>; mid-grey is no change. <span class="right"><span aria-hidden="true">✓</span> right</span>, <span class="wrong"><span aria-hidden="true">✗</span> wrong</span>; the number is the probability of the predicted class.</p>
<div class="gallery" style="--small:${shownSide(largest, 96)}px;--large:${shownSide(largest, 128)}px">${cards}</div>
<p class="aside">${omitted > 0 && `${omitted} more examples are omitted to keep this file small. `}The pictures are PNGs with 8 bits per channel, for display only: rounding to 8 bits changes ε. The numbers come from the exact 32-bit images.</p>
</section>`;
}

interface PictureUrls {
  readonly image: string;
  /** Adversarial image and magnified perturbation for each network. */
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
  /** Names of the networks in the order of the report, which determines their colours. */
  readonly order: readonly string[];
}

function card({ example, urls, factor, order }: Card): Markup {
  const { label, image, networks } = example;
  return html`<article class="card example">
<h3>${label} <small>${nameOf(example)}</small></h3>
<div class="row">
${picture(urls.image, image, `The original picture ${nameOf(example)}, ${label}`)}
<div class="says"><p class="aside">original image</p>${networks.map(({ name, clean }) => answer({ name, prediction: clean, label, order }))}</div>
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
${picture(pair[1], adversarial, `The perturbation of ${subject} by the attack on ${name}, magnified ${factor} times`)}
<div class="says"><p class="aside">after the attack</p>${answer({ name, prediction: attacked, label: example.label, order })}</div>
</div>`;
}

/** One network's prediction; right and wrong differ by a mark and a word for screen readers, not only by colour. */
function answer(options: {
  readonly name: string;
  readonly prediction: Prediction;
  readonly label: string;
  readonly order: readonly string[];
}): Markup {
  const { name, prediction, label, order } = options;
  const right = prediction.class === label;
  const colour = seriesStyle(Math.max(0, order.indexOf(name))).colour;
  return html`<p class="answer" style="--series:${colour}">${order.length > 1 && html`<b>${name}</b> `}<span class="${right ? 'right' : 'wrong'}"><span aria-hidden="true">${right ? '✓' : '✗'}</span><span class="hidden">${right ? 'right:' : 'wrong:'}</span> ${prediction.class}</span> <span class="probability">${percent(prediction.probability, 0)}</span></p>`;
}

function picture(url: string, { width, height }: Picture, text: string): Markup {
  return html`<img src="${url}" width="${width}" height="${height}" alt="${text}" class="${width >= height ? 'wide' : 'tall'}">`;
}

/** The largest integer multiple of a side that fits, so that pixels stay square; larger pictures are scaled down. */
function shownSide(side: number, available: number): number {
  return side > available ? available : Math.floor(available / side) * side;
}

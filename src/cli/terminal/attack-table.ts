import { type AttackedPicture, type AttackedPictures, outcomeInWords } from '../../report/attack/result.js';
import { distance } from '../../report/page/format.js';
import { threatInSymbols } from '../../report/sentences.js';
import { columns, shortened } from './columns.js';
import { percentage } from './format.js';

/** Output of `satin attack`: one row per image. */
export function attackTable(result: AttackedPictures, page: string): string {
  const prediction = (p: { readonly class: string; readonly probability: number }) =>
    `${p.class} ${percentage(p.probability)}`;
  const rows = result.images.map((picture) => [
    shortened(picture.image, 17),
    prediction(picture.before),
    prediction(picture.after),
    distance(picture.distance, result),
    outcome(picture),
  ]);
  const right =
    result.labels === 'given' ? result.images[0]!.label : "the model's prediction before the attack";
  return [
    `${result.attack}, ${threatInSymbols(result)}; label: ${right}`,
    '',
    ...columns([['image', 'before', 'after', 'distance', 'outcome'], ...rows]),
    '',
    'PNGs have 8 bits per channel: rounding changes a pixel by up to 1/510. The exact',
    `images are in adversarial.safetensors. Open in a browser: ${page}`,
    '',
  ].join('\n');
}

/** The outcome, with whether the adversarial image rounded to a PNG still fools the model. */
function outcome({ outcome, png }: AttackedPicture): string {
  if (outcome !== 'broken') return outcomeInWords[outcome];
  return `${outcomeInWords.broken}, PNG ${png.fools ? 'too' : 'not'}`;
}

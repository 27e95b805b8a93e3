import { type AttackedPicture, type AttackedPictures, outcomeInWords } from '../../report/attack/result.js';
import { distance } from '../../report/page/format.js';
import { threatInSymbols } from '../../report/sentences.js';
import { columns, shortened } from './columns.js';
import { percentage } from './format.js';

/** What a person reads at the end of `satin attack`: a row for each picture. */
export function attackTable(result: AttackedPictures, page: string): string {
  const answer = (said: { readonly class: string; readonly probability: number }) =>
    `${said.class} ${percentage(said.probability)}`;
  const rows = result.images.map((picture) => [
    shortened(picture.image, 17),
    answer(picture.before),
    answer(picture.after),
    distance(picture.distance, result),
    outcome(picture),
  ]);
  const right = result.labels === 'given' ? result.images[0]!.label : 'what the model said before';
  return [
    `${result.attack}, ${threatInSymbols(result)}; what counts as right: ${right}`,
    '',
    ...columns([['picture', 'before', 'after', 'distance', 'outcome'], ...rows]),
    '',
    'A PNG has 8 bits a channel: rounding moves a pixel by up to 1/510. The exact images',
    `are in adversarial.safetensors. To look at them: ${page}`,
    '',
  ].join('\n');
}

/** With whether the adversarial picture still fools the model once it is rounded to a PNG. */
function outcome({ outcome, png }: AttackedPicture): string {
  if (outcome !== 'broken') return outcomeInWords[outcome];
  return `${outcomeInWords.broken}, PNG ${png.fools ? 'too' : 'not'}`;
}

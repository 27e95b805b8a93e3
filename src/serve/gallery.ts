import { magnification, magnifiedChange, pictureFile } from '../report/images.js';
import type { Gallery } from './api.js';
import { type FoundExample, pictureShape, readPair } from './found-examples.js';
import { NotServed } from './not-served.js';
import type { OpenedEvaluation } from './opened-evaluations.js';
import type { StoredEvaluation } from './stored-evaluation.js';

/** What the gallery shows of an evaluation. */
export interface GalleryChoice {
  readonly label: number | null;
  readonly attack: string | null;
  /** From 1. */
  readonly page: number;
}

/** Examples of one page. */
const perPage = 24;
/** By which the magnification is measured where ε does not bound a pixel. */
const measured = 24;
/** Larger pictures are scaled down for the page. */
const longestShown = 512;

/** One page of the adversarial images of an evaluation, by class and attack. */
export async function galleryPage(
  root: string,
  { stored, found: all }: OpenedEvaluation,
  choice: GalleryChoice,
): Promise<Gallery> {
  const chosen = all.filter(
    ({ label, attack }) =>
      (choice.label === null || label === choice.label) &&
      (choice.attack === null || attack === choice.attack),
  );
  const pages = Math.max(1, Math.ceil(chosen.length / perPage));
  const page = Math.min(Math.max(1, choice.page), pages);
  const [, height, width] = await pictureShape(root, stored);
  const { classes } = stored.manifest.evaluation;
  const resultOf = new Map((stored.result?.perExample ?? []).map((example) => [example.id, example]));
  return {
    total: chosen.length,
    page,
    pages,
    examples: chosen
      .slice((page - 1) * perPage, page * perPage)
      .map(({ id, label, attack, image, place }) => {
        const { brokenBy, attacked } = resultOf.get(id) ?? {};
        const file = stored.manifest.files?.[place] ?? null;
        const predicted = brokenBy === attack ? (attacked ?? null) : null;
        return { id, label, class: classes[label] ?? String(label), attack, file, predicted, image };
      }),
    width,
    height,
    factor: await factorOf(root, { stored, found: all }),
  };
}

export type PictureKind = 'original' | 'adversarial' | 'change';

/**
 * A picture of the gallery as PNG; `change` is the perturbation, magnified by `factor` about mid-grey.
 *
 * @throws {NotServed} if there is no adversarial image of that number.
 */
export async function galleryPicture(
  root: string,
  { stored, found }: OpenedEvaluation,
  wanted: { readonly image: number; readonly kind: PictureKind; readonly factor: number },
): Promise<Buffer> {
  const example = found.find(({ image }) => image === wanted.image);
  if (example === undefined) throw new NotServed('image of that number');
  const { original, adversarial } = await readPair(root, stored, example);
  const picture = {
    original: () => original,
    adversarial: () => adversarial,
    change: () => magnifiedChange(original, adversarial, wanted.factor),
  }[wanted.kind]();
  return pictureFile(picture, { longest: longestShown });
}

/** One factor for the whole gallery: the largest with which no perturbation leaves the range of a pixel. */
async function factorOf(
  root: string,
  { stored, found }: { readonly stored: StoredEvaluation; readonly found: readonly FoundExample[] },
): Promise<number> {
  const { norm, epsilon } = stored.manifest.evaluation;
  const tolerance = 1e-3;
  if (norm === 'linf') return Math.max(0.5, Math.floor(0.5 / epsilon + tolerance));
  const pairs = await Promise.all(found.slice(0, measured).map((example) => readPair(root, stored, example)));
  return magnification(
    pairs.map(({ original, adversarial }, id) => {
      const none = { class: '', probability: 0 };
      return {
        id,
        label: '',
        image: original,
        networks: [{ name: '', adversarial, clean: none, attacked: none }],
      };
    }),
  );
}

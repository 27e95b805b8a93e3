import { count } from '../../src/report/page/format.js';
import type { EvaluationDetails, Gallery, GalleryEntry } from '../../src/serve/api.js';
import { choose, chosen } from './address.js';
import { fill, h } from './dom.js';
import { ask } from './server.js';

const kinds = ['original', 'adversarial', 'change'] as const;
type Kind = (typeof kinds)[number];

/** The adversarial examples of an evaluation, filtered by class and by attack, a page at a time. */
export function galleryOf(options: {
  readonly id: string;
  readonly details: EvaluationDetails;
  readonly signal: AbortSignal;
}): { readonly element: HTMLElement; update(details: EvaluationDetails): void } {
  const { id, signal } = options;
  let { details } = options;
  let shown: Gallery | undefined;
  const grid = h('ul', { class: 'gallery plain' });
  const told = h('p', { class: 'aside', role: 'status' });
  const pager = h('nav', { class: 'pager', 'aria-label': 'Pages of the gallery' });
  const byClass = h('select', { id: 'by-class', onChange: () => pick({ class: byClass.value, page: null }) });
  const byAttack = h('select', {
    id: 'by-attack',
    onChange: () => pick({ attack: byAttack.value, page: null }),
  });
  const large = h('dialog', { class: 'large', 'aria-label': 'Adversarial example' });
  let opened = -1;

  const urlOf = (entry: GalleryEntry, kind: Kind): string => {
    const query = new URLSearchParams({ evaluation: id, image: String(entry.image), kind });
    if (kind === 'change') query.set('factor', String(shown?.factor ?? 1));
    return `/api/picture?${query}`;
  };
  const picture = (entry: GalleryEntry, kind: Kind): HTMLElement => {
    const words = {
      original: `${nameOf(entry)}, ${entry.class}, unchanged`,
      adversarial: `${nameOf(entry)}, ${entry.class}, after ${entry.attack}`,
      change: `What ${entry.attack} changed in ${nameOf(entry)}, magnified ${shown?.factor} times`,
    }[kind];
    const { width = 1, height = 1 } = shown ?? {};
    return h('img', {
      src: urlOf(entry, kind),
      alt: words,
      width,
      height,
      loading: 'lazy',
      decoding: 'async',
    });
  };
  const captions = (): Readonly<Record<Kind, string>> => ({
    original: 'original',
    adversarial: 'attacked',
    change: `change ×${shown?.factor}`,
  });

  const open = (at: number) => {
    const entry = shown?.examples[at];
    if (entry === undefined) return;
    opened = at;
    choose({ image: entry.image });
    fill(
      large,
      h('h3', {}, entry.class, h('small', {}, ` ${nameOf(entry)}, ${outcomeOf(entry)}`)),
      h(
        'div',
        { class: 'triple' },
        ...kinds.map((kind) => h('figure', {}, picture(entry, kind), h('figcaption', {}, captions()[kind]))),
      ),
      h(
        'div',
        { class: 'pager' },
        h('button', { type: 'button', disabled: at === 0, onClick: () => open(at - 1) }, 'Previous'),
        h(
          'button',
          { type: 'button', disabled: at + 1 >= (shown?.examples.length ?? 0), onClick: () => open(at + 1) },
          'Next',
        ),
        h('button', { type: 'button', onClick: () => large.close() }, 'Close'),
      ),
    );
    if (!large.open) large.showModal();
  };
  large.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowLeft') open(opened - 1);
    if (event.key === 'ArrowRight') open(opened + 1);
  });
  large.addEventListener('close', () => {
    choose({ image: null });
    grid.querySelectorAll('button')[opened]?.focus();
  });

  const card = (entry: GalleryEntry, at: number): HTMLElement =>
    h(
      'li',
      { class: 'card example' },
      h(
        'button',
        {
          type: 'button',
          onClick: () => open(at),
        },
        h('span', { class: 'example-name' }, entry.class, h('small', {}, ` ${nameOf(entry)}`)),
        h('span', { class: 'triple' }, ...kinds.map((kind) => picture(entry, kind))),
      ),
      h('p', { class: 'aside' }, outcomeOf(entry)),
    );

  const show = async () => {
    const query = { evaluation: id, class: chosen('class'), attack: chosen('attack'), page: chosen('page') };
    shown = await ask<Gallery>('gallery', query, signal);
    const { total, page, pages, examples, factor } = shown;
    fill(grid, ...examples.map(card));
    told.textContent =
      total === 0
        ? 'No adversarial example matches.'
        : `${count(total)} adversarial ${total === 1 ? 'example' : 'examples'}. Each: the original, the attacked image, and what changed, magnified ${factor} times about mid-grey.`;
    const turn = (name: string, to: number, isPossible: boolean) =>
      h('button', { type: 'button', disabled: !isPossible, onClick: () => pick({ page: to }) }, name);
    fill(
      pager,
      pages > 1 && turn('Previous', page - 1, page > 1),
      pages > 1 && h('span', {}, `Page ${page} of ${pages}`),
      pages > 1 && turn('Next', page + 1, page < pages),
    );
    const wanted = chosen('image');
    if (wanted !== null && !large.open) open(examples.findIndex(({ image }) => String(image) === wanted));
  };
  const pick = (values: Readonly<Record<string, string | number | null>>) => {
    choose(values);
    show().catch(fail);
  };
  const fail = (error: unknown) => {
    if (!signal.aborted) told.textContent = error instanceof Error ? error.message : String(error);
  };

  const showFilters = () => {
    const { byClass: classes, byAttack: attacks, total } = details.found;
    fill(
      byClass,
      h('option', { value: '' }, `all classes (${count(total)})`),
      ...classes.map(([label, images]) =>
        h(
          'option',
          { value: label, selected: chosen('class') === String(label) },
          `${details.classes[label] ?? label} (${count(images)})`,
        ),
      ),
    );
    fill(
      byAttack,
      h('option', { value: '' }, `all attacks (${count(total)})`),
      ...attacks.map(([name, images]) =>
        h('option', { value: name, selected: chosen('attack') === name }, `${name} (${count(images)})`),
      ),
    );
  };
  showFilters();
  show().catch(fail);
  signal.addEventListener('abort', () => large.close());

  return {
    element: h(
      'section',
      { 'aria-labelledby': 'gallery' },
      h('h2', { id: 'gallery' }, 'Adversarial examples'),
      h(
        'div',
        { class: 'tools' },
        h('label', { for: 'by-class' }, 'Class ', byClass),
        h('label', { for: 'by-attack' }, 'Attack ', byAttack),
      ),
      told,
      grid,
      pager,
      large,
      h(
        'p',
        { class: 'aside' },
        'The pictures have 8 bits per channel, for display only; the evaluation used the exact 32-bit images.',
      ),
    ),
    update(now) {
      const isMore = now.found.total !== details.found.total;
      details = now;
      if (!isMore) return;
      showFilters();
      show().catch(fail);
    },
  };
}

/** `taken for ship under apgd-ce` */
function outcomeOf({ attack, predicted }: GalleryEntry): string {
  return predicted === null ? `broken by ${attack}` : `taken for ${predicted} under ${attack}`;
}

/** Its file, or its number in the data set. */
function nameOf({ id, file }: GalleryEntry): string {
  return file ?? `image ${id}`;
}

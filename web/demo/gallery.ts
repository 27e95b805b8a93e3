import type { DemoDescription, DemoImage } from '../../src/browser/demo-description.js';
import { element, make } from './elements.js';
import type { Verdict } from './protocol.js';

/** The test images: one of them is chosen, with a pointer or the arrow keys, and each bears the verdicts of a survey. */
export class Gallery {
  readonly #tiles: readonly HTMLButtonElement[];

  constructor(
    readonly description: DemoDescription,
    readonly choose: (image: DemoImage) => void,
  ) {
    const { images } = description;
    this.#tiles = images.map((image, index) => {
      const picture = make('img');
      picture.src = image.file;
      picture.alt = '';
      picture.loading = 'lazy';
      picture.decoding = 'async';
      const tile = make('button', { children: [picture] });
      tile.type = 'button';
      tile.setAttribute('role', 'radio');
      tile.setAttribute('aria-label', this.#nameOf(index));
      tile.addEventListener('click', () => this.pick(index));
      tile.addEventListener('keydown', (event) => this.#move(event, index));
      return tile;
    });
    element('gallery', HTMLElement).append(...this.#tiles);
    this.#mark(-1);
  }

  /** Chooses an image; none for −1. */
  pick(index: number): void {
    this.#mark(index);
    const image = this.description.images[index];
    if (image !== undefined) this.choose(image);
  }

  /** Shows no image as chosen. */
  clear(): void {
    this.#mark(-1);
  }

  /** Shows what each network made of an image. */
  setVerdicts(index: number, verdicts: readonly Verdict[]): void {
    const tile = this.#tiles[index]!;
    tile.querySelector('.marks')?.remove();
    const words = verdicts.map((verdict, network) => {
      const title = this.description.networks[network]!.title;
      return `${title} ${wordOf(verdict)}`;
    });
    const marks = make('span', {
      class: 'marks',
      children: verdicts.map((verdict) => {
        const kind = !verdict.isRight ? 'wrong' : verdict.holds ? 'holds' : 'fooled';
        return make('span', { class: kind, text: { wrong: '–', holds: '✓', fooled: '✗' }[kind] });
      }),
    });
    marks.setAttribute('aria-hidden', 'true');
    tile.append(marks);
    tile.setAttribute('aria-label', `${this.#nameOf(index)}: ${words.join(', ')}`);
    tile.title = words.join(', ');
  }

  #nameOf(index: number): string {
    const { classes, images } = this.description;
    return `${classes[images[index]!.label]}, test image ${images[index]!.id}`;
  }

  /** One tile is in the order of the tab key: the chosen one, or the first. */
  #mark(chosen: number): void {
    for (const [index, tile] of this.#tiles.entries()) {
      tile.setAttribute('aria-checked', String(index === chosen));
      tile.tabIndex = index === Math.max(0, chosen) ? 0 : -1;
    }
  }

  #move(event: KeyboardEvent, from: number): void {
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: this.#columns(),
      ArrowUp: -this.#columns(),
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const to = Math.min(this.#tiles.length - 1, Math.max(0, from + step));
    this.#tiles[to]!.focus();
    this.pick(to);
  }

  #columns(): number {
    const [first] = this.#tiles;
    return this.#tiles.filter(({ offsetTop }) => offsetTop === first!.offsetTop).length;
  }
}

function wordOf({ isRight, holds }: Verdict): string {
  if (!isRight) return 'is wrong without an attack';
  return holds ? 'holds' : 'is fooled';
}

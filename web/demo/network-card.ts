import type { DemoDescription, DemoNetwork } from '../../src/browser/demo-description.js';
import { predictedClass, softmax } from '../../src/browser/pgd.js';
import { Course } from './course.js';
import { make, percent } from './elements.js';
import { drawPixels, magnified } from './pictures.js';

/** An image and what a network says of it. */
export interface Moment {
  readonly image: Float32Array;
  readonly probabilities: Float32Array;
}

/** What a card shows: the image as it is, and the iterates of an attack so far. */
export interface Shown {
  readonly original: Float32Array;
  readonly label: number;
  readonly clean: Moment;
  readonly iterates: readonly Moment[];
  /** Of the attack; 0 before the first. */
  readonly steps: number;
  readonly epsilon: number;
}

/** At most so many classes have a bar. */
const mostBars = 10;

/** A network's part of the page. */
export class NetworkCard {
  readonly root: HTMLElement;
  readonly #verdict = make('p', { class: 'verdict' });
  readonly #attacked = make('canvas');
  readonly #change = make('canvas');
  readonly #changeCaption = make('figcaption');
  readonly #bars = make('ol', { class: 'classes' });
  readonly #course = new Course();

  constructor(
    readonly network: DemoNetwork,
    readonly description: DemoDescription,
  ) {
    const name = make('span', { class: 'title', text: network.title });
    const title = make('h2', { children: [name, document.createTextNode(` ${network.architecture}`)] });
    title.id = `network-${network.file.replaceAll(/\W+/g, '-')}`;
    const picture = (canvas: HTMLCanvasElement, caption: HTMLElement) => {
      canvas.setAttribute('role', 'img');
      return make('figure', { children: [canvas, caption] });
    };
    const course = make('figure', { class: 'course' });
    course.append(this.#course.figure);
    course.append(
      make('figcaption', {
        children: [
          make('span', { class: 'key', text: 'true class, by step' }),
          document.createTextNode('\u2003 '),
          make('span', { class: 'key dashed', text: 'strongest other' }),
        ],
      }),
    );
    this.root = make('section', {
      class: 'panel network',
      children: [
        title,
        make('p', { class: 'formula', text: `f(x) = ${network.formula}` }),
        this.#verdict,
        make('div', {
          class: 'pictures',
          children: [
            picture(this.#attacked, make('figcaption', { text: 'What it sees' })),
            picture(this.#change, this.#changeCaption),
          ],
        }),
        this.#bars,
        course,
      ],
    });
    this.root.setAttribute('aria-labelledby', title.id);
    this.#say('Loading the network…', '');
  }

  /** Shows a moment: 0 is the image as it is, `at` > 0 the iterate `at` − 1. */
  show(shown: Shown, at: number): void {
    const { original, label, clean, iterates, steps, epsilon } = shown;
    const { classes, shape } = this.description;
    const moment = at === 0 ? clean : (iterates[Math.min(at, iterates.length) - 1] ?? clean);
    drawPixels(this.#attacked, moment.image, shape);
    const change = moment.image.map((value, index) => value - original[index]!);
    const largest = change.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const limit = this.description.threat.norm === 'linf' ? epsilon || 1 : largest || 1;
    drawPixels(this.#change, magnified(change, limit), shape);
    this.#changeCaption.textContent =
      largest === 0 ? 'The change: none yet' : `The change, ×${Math.max(1, Math.round(0.5 / limit))}`;
    const found = predictedClass(moment.probabilities);
    const words = `${classes[found]}, ${percent(moment.probabilities[found]!)}`;
    this.#attacked.setAttribute('aria-label', `The image as ${this.network.title} sees it: ${words}`);
    this.#change.setAttribute(
      'aria-label',
      `The change so far, magnified; at most ${largest.toFixed(4)} of a pixel`,
    );
    this.#judge(shown, at);
    this.#drawBars(moment.probabilities, label, found);
    const shares = [clean, ...iterates].map(({ probabilities }) => ({
      ofTrue: probabilities[label]!,
      ofOther: probabilities.reduce(
        (most, share, index) => (index === label ? most : Math.max(most, share)),
        0,
      ),
    }));
    this.#course.draw(shares, { steps: steps + 1, now: at });
    const { ofTrue } = shares.at(-1)!;
    this.#course.describe(
      `The probability of ${classes[label]} goes from ${percent(shares[0]!.ofTrue)} to ${percent(ofTrue)}`,
    );
  }

  /** How it stands after the last iterate, in a sentence. */
  summary({ label, clean, iterates }: Shown): string {
    const { classes } = this.description;
    const { title } = this.network;
    const isWrong = ({ probabilities }: Moment) => predictedClass(probabilities) !== label;
    if (isWrong(clean)) return `${title} is wrong without an attack.`;
    const fooled = iterates.findIndex(isWrong);
    if (fooled === -1) return `${title} holds: ${classes[label]}.`;
    const seen = classes[predictedClass(iterates[fooled]!.probabilities)];
    return `${title} is fooled ${fooled === 0 ? 'by the random start' : `at step ${fooled}`}: ${seen}.`;
  }

  fail(message: string): void {
    this.#say(message, 'bad');
  }

  #judge({ label, clean, iterates }: Shown, at: number): void {
    const { classes } = this.description;
    const { probabilities } = at === 0 ? clean : (iterates[Math.min(at, iterates.length) - 1] ?? clean);
    const found = predictedClass(probabilities);
    const sees = `Sees ${classes[found]}, ${percent(probabilities[found]!)}`;
    const wasRight = predictedClass(clean.probabilities) === label;
    if (at === 0)
      this.#say(found === label ? sees : `${sees}: wrong without an attack`, found === label ? '' : 'bad');
    else if (!wasRight) this.#say(`${sees}; it was wrong before`, 'bad');
    else if (found === label) this.#say(`Holds. ${sees}`, 'good');
    else this.#say(`Fooled. ${sees}`, 'bad');
  }

  #say(text: string, kind: '' | 'good' | 'bad'): void {
    this.#verdict.textContent = text;
    this.#verdict.className = `verdict ${kind}`;
  }

  /** All classes in their order, or those with the largest shares and the true one. */
  #drawBars(probabilities: Float32Array, label: number, found: number): void {
    const { classes } = this.description;
    const all = [...classes.keys()];
    const chosen =
      classes.length <= mostBars
        ? all
        : [
            label,
            ...all.filter((index) => index !== label).sort((a, b) => probabilities[b]! - probabilities[a]!),
          ].slice(0, mostBars);
    this.#bars.replaceChildren(
      ...chosen.map((index) => {
        const bar = make('progress');
        bar.max = 1;
        bar.value = probabilities[index]!;
        bar.setAttribute('aria-hidden', 'true');
        const kind = index === label ? 'true' : index === found ? 'wrong' : '';
        const name = make('span', { class: 'name', text: classes[index]! });
        name.title = classes[index]!;
        const share = make('span', { class: 'share', text: percent(probabilities[index]!) });
        return make('li', { class: kind, children: [name, bar, share] });
      }),
    );
  }
}

/** A moment of one image from its logits. */
export function momentOf(image: Float32Array, logits: Float32Array): Moment {
  return { image, probabilities: softmax(logits) };
}

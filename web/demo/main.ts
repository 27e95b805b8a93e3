import type { DemoDescription, DemoImage } from '../../src/browser/demo-description.js';
import { type AttackedImages, type BrowserPgdOptions, predictedClass } from '../../src/browser/pgd.js';
import { Controls } from './controls.js';
import { DrawingPad } from './drawing-pad.js';
import { element } from './elements.js';
import { Gallery } from './gallery.js';
import { momentOf, NetworkCard, type Shown } from './network-card.js';
import { NetworkClient } from './network-client.js';
import { listenForPictures } from './own-picture.js';
import { cutTo, decodePicture, drawPixels, readPixels } from './pictures.js';
import { PlaceChoice } from './place-choice.js';
import type { Place } from './protocol.js';
import { survey } from './survey.js';
import { connectTabs } from './tabs.js';

/** The image that is looked at and attacked. */
interface Chosen {
  readonly pixels: Float32Array;
  readonly name: string;
  /** Key of its random start. */
  readonly id: number;
  /** null until somebody says what it shows. */
  readonly label: number | null;
}

const trouble = element('trouble', HTMLElement);
function complain(error: unknown): void {
  trouble.textContent = error instanceof Error ? error.message : String(error);
  trouble.hidden = false;
}

class Page {
  readonly #description: DemoDescription;
  readonly #clients: readonly NetworkClient[];
  readonly #cards: readonly NetworkCard[];
  readonly #gallery: Gallery;
  readonly #controls: Controls;
  #chosen: Chosen | null = null;
  #shown: (Shown | null)[];
  /** Ends what is shown for an earlier image. */
  #current = new AbortController();
  /** Of an attack on all images, which goes on while others are looked at. */
  #surveying: AbortController | null = null;

  constructor(description: DemoDescription) {
    this.#description = description;
    const { networks, classes, shape, data } = description;
    this.#clients = networks.map((network) => new NetworkClient(network));
    this.#cards = networks.map((network) => new NetworkCard(network, description));
    this.#shown = networks.map(() => null);
    element('networks', HTMLElement).append(...this.#cards.map(({ root }) => root));
    this.#gallery = new Gallery(description, (image) => void this.#chooseTestImage(image));
    this.#controls = new Controls(description, {
      attack: () => void this.#attack(),
      stop: () => {
        this.#current.abort();
        this.#surveying?.abort();
      },
      show: () => this.#draw(),
      survey: () => void this.#survey(),
    });
    const select = element('class', HTMLSelectElement);
    select.append(...classes.map((name, index) => new Option(name, String(index))));
    select.addEventListener('change', () => {
      if (this.#chosen !== null) void this.#look({ ...this.#chosen, label: Number(select.value) });
    });
    connectTabs(document.querySelector('[role=tablist]')!);
    listenForPictures((file) => void this.#chooseOwn(file));
    new DrawingPad({
      isGrey: shape[0] === 1,
      onDrawn: (canvas) => {
        this.#gallery.clear();
        const pixels = readPixels(cutTo(canvas, shape), shape);
        void this.#look({ pixels, name: 'Your drawing', id: 0, label: null });
      },
    });
    element('provenance', HTMLElement).textContent =
      `${networks.map(({ title, architecture, digest }) => `${title}: ${architecture}, ${digest.slice(0, 19)}…`).join('. ')}. Test images of ${data}.`;
  }

  async start(): Promise<void> {
    await this.#open('cpu');
    this.#gallery.pick(0);
    await new PlaceChoice((place) => this.#moveTo(place)).offer();
  }

  async #open(place: Place): Promise<void> {
    const opened = await Promise.allSettled(
      this.#clients.map((client) => client.open(this.#description, place)),
    );
    for (const [index, { status }] of opened.entries())
      if (status === 'rejected') this.#cards[index]!.fail('This network could not be loaded.');
    for (const result of opened) if (result.status === 'rejected') throw result.reason;
    this.#controls.setBusy(false);
  }

  /** Loads both networks again, for another place, and looks at the image with them. */
  async #moveTo(place: Place): Promise<void> {
    this.#begin();
    this.#controls.setBusy(true);
    this.#controls.say('Loading the networks…');
    try {
      await this.#open(place);
      if (this.#chosen !== null) await this.#look(this.#chosen);
    } catch (error) {
      if (place === 'cpu') throw error;
      complain('This graphics card cannot compute the networks; the processor does it.');
      throw error;
    }
  }

  async #chooseTestImage({ file, label, id }: DemoImage): Promise<void> {
    try {
      const response = await fetch(file);
      if (!response.ok) throw new Error(`${file} is not there (${response.status}).`);
      const pixels = await decodePicture(await response.blob(), this.#description.shape);
      await this.#look({ pixels, name: this.#description.classes[label]!, id, label });
    } catch (error) {
      complain(error);
    }
  }

  async #chooseOwn(file: File): Promise<void> {
    try {
      const pixels = await decodePicture(file, this.#description.shape);
      this.#gallery.clear();
      trouble.hidden = true;
      await this.#look({ pixels, name: file.name, id: 0, label: null });
    } catch {
      complain(`${file.name} is not a picture that this browser can read.`);
    }
  }

  /** Ends what is under way; the signal is that of what begins. */
  #begin(): AbortSignal {
    this.#current.abort();
    this.#current = new AbortController();
    return this.#current.signal;
  }

  /** Shows an image as it is. */
  async #look(chosen: Chosen): Promise<void> {
    const signal = this.#begin();
    const { pixels, name, id } = chosen;
    const { classes, shape } = this.#description;
    const canvas = element('chosen', HTMLCanvasElement);
    drawPixels(canvas, pixels, shape);
    canvas.setAttribute('aria-label', `The chosen image: ${name}`);
    element('chosen-name', HTMLElement).textContent = name;
    try {
      const images: AttackedImages = { images: pixels, labels: [chosen.label ?? 0], ids: [id] };
      const logits = await Promise.all(this.#clients.map((client) => client.look(images)));
      if (signal.aborted) return;
      // What is not said to be something is taken for what the second network, the smooth one, sees.
      const label = chosen.label ?? predictedClass(logits.at(-1)!);
      this.#chosen = { ...chosen, label };
      const isOwn = !classes.includes(name);
      element('class-choice', HTMLElement).hidden = !isOwn;
      element('class', HTMLSelectElement).value = String(label);
      this.#shown = logits.map((each) => ({
        original: pixels,
        label,
        clean: momentOf(pixels, each),
        iterates: [],
        steps: 0,
        epsilon: 0,
      }));
      this.#controls.reset();
      this.#controls.setStoppable(this.#surveying !== null);
      this.#draw();
    } catch (error) {
      complain(error);
    }
  }

  async #attack(): Promise<void> {
    const chosen = this.#chosen;
    if (chosen === null || chosen.label === null) return;
    const signal = this.#begin();
    const options = this.#controls.options;
    const { epsilon, steps } = options;
    this.#shown = this.#shown.map((shown) => shown && { ...shown, iterates: [], steps, epsilon });
    this.#controls.begin(steps);
    const images: AttackedImages = { images: chosen.pixels, labels: [chosen.label], ids: [chosen.id] };
    try {
      await Promise.all([
        ...this.#clients.map((_, index) => this.#follow(index, images, options, signal)),
        this.#controls.play(
          () => Math.min(...this.#shown.map((shown) => shown?.iterates.length ?? 0)),
          signal,
        ),
      ]);
      if (!signal.aborted)
        this.#controls.say(this.#cards.map((card, index) => card.summary(this.#shown[index]!)).join(' '));
    } catch (error) {
      complain(error);
    } finally {
      if (signal === this.#current.signal) this.#controls.setStoppable(false);
    }
  }

  async #follow(
    index: number,
    images: AttackedImages,
    options: BrowserPgdOptions,
    signal: AbortSignal,
  ): Promise<void> {
    for await (const { images: iterate, logits } of this.#clients[index]!.attack(images, options, signal)) {
      const shown = this.#shown[index];
      if (signal.aborted || shown == null) return;
      this.#shown[index] = { ...shown, iterates: [...shown.iterates, momentOf(iterate, logits)] };
    }
  }

  #draw(): void {
    for (const [index, shown] of this.#shown.entries())
      if (shown !== null) this.#cards[index]!.show(shown, this.#controls.moment);
  }

  async #survey(): Promise<void> {
    this.#begin();
    this.#surveying = new AbortController();
    const { signal } = this.#surveying;
    this.#controls.setBusy(true);
    this.#controls.setStoppable(true);
    try {
      await survey(this.#description, this.#clients, this.#gallery, {
        ...this.#controls.options,
        signal,
      });
    } catch (error) {
      complain(error);
    } finally {
      this.#surveying = null;
      this.#controls.setStoppable(false);
      this.#controls.setBusy(false);
    }
  }
}

try {
  const response = await fetch('demo.json');
  if (!response.ok)
    throw new Error('demo.json is not beside this page: serve the whole folder that satin demo wrote.');
  await new Page((await response.json()) as DemoDescription).start();
} catch (error) {
  complain(error);
}

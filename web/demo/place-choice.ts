import { element } from './elements.js';
import type { Place } from './protocol.js';

/** The parts of WebGPU that are asked for here; TypeScript's own library has none. */
interface Gpu {
  requestAdapter(): Promise<object | null>;
}

/**
 * Where networks are computed, which the visitor can choose where the browser offers a graphics card. The processor is the
 * first choice: it needs half the download, and small networks gain little from a card.
 */
export class PlaceChoice {
  readonly #select = element('place', HTMLSelectElement);

  /** @param moveTo called with each choice, and with the processor where it fails; meanwhile no other choice can be made. */
  constructor(moveTo: (place: Place) => Promise<void>) {
    this.#select.addEventListener('change', async () => {
      this.#select.disabled = true;
      const place = this.#select.value === 'gpu' ? 'gpu' : 'cpu';
      await moveTo(place).catch(() => {
        this.#select.value = 'cpu';
        return moveTo('cpu');
      });
      this.#select.disabled = false;
    });
  }

  /** Shows the choice if there is one. */
  async offer(): Promise<void> {
    const { gpu } = navigator as Navigator & { readonly gpu?: Gpu };
    const adapter = await gpu?.requestAdapter().catch(() => null);
    element('place-choice', HTMLElement).hidden = adapter == null;
  }
}

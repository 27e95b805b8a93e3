import type { DemoDescription } from '../../src/browser/demo-description.js';
import type { BrowserPgdOptions } from '../../src/browser/pgd.js';
import { element } from './elements.js';

/** Milliseconds that a step is shown at least, so that it can be seen. */
const stepTime = 150;

export interface Actions {
  attack(): void;
  stop(): void;
  /** The moment to show has changed. */
  show(): void;
  survey(): void;
}

/** The sliders and buttons of the attack, and its playback. */
export class Controls {
  readonly #epsilon = element('epsilon', HTMLInputElement);
  readonly #steps = element('steps', HTMLInputElement);
  readonly #moment = element('moment', HTMLInputElement);
  readonly #attack = element('attack', HTMLButtonElement);
  readonly #stop = element('stop', HTMLButtonElement);
  readonly #survey = element('survey', HTMLButtonElement);
  readonly #playback = element('playback', HTMLElement);
  readonly #status = element('status', HTMLElement);

  constructor(
    readonly description: DemoDescription,
    readonly actions: Actions,
  ) {
    this.#attack.addEventListener('click', actions.attack);
    this.#stop.addEventListener('click', actions.stop);
    this.#survey.addEventListener('click', actions.survey);
    this.#survey.textContent = `Attack all ${description.images.length}`;
    for (const slider of [this.#epsilon, this.#steps]) slider.addEventListener('input', () => this.#write());
    this.#moment.addEventListener('input', () => {
      this.#writeMoment();
      actions.show();
    });
    this.#write();
  }

  get options(): BrowserPgdOptions {
    const { threat, seed } = this.description;
    return {
      norm: threat.norm,
      // In quarters of the radius of training, so that the middle is exactly that one.
      epsilon: (threat.epsilon * Number(this.#epsilon.value)) / 4,
      steps: Number(this.#steps.value),
      seed,
    };
  }

  /** The moment to show: 0 for the image as it is, then the iterates. */
  get moment(): number {
    return Number(this.#moment.value);
  }

  /** Another image: nothing to play. */
  reset(): void {
    this.#setMoment(0);
    this.#playback.hidden = true;
    this.say('');
  }

  begin(steps: number): void {
    this.#moment.max = String(steps + 1);
    this.#setMoment(0);
    this.#playback.hidden = false;
    this.setStoppable(true);
    this.say('');
  }

  /** Shows the button that stops in place of the one that attacks, or the other way round. */
  setStoppable(isStoppable: boolean): void {
    const hadFocus = document.activeElement === this.#stop;
    this.#attack.hidden = isStoppable;
    this.#stop.hidden = !isStoppable;
    if (hadFocus) this.#attack.focus();
  }

  /** Shows moment after moment, as far as `known` says that there are, and ends with the last one. */
  async play(known: () => number, signal: AbortSignal): Promise<void> {
    const last = Number(this.#moment.max);
    const pause = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : stepTime;
    for (let moment = 1; moment <= last && !signal.aborted; ) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(16, pause)));
      if (known() < moment) continue;
      if (signal.aborted) return;
      if (pause === 0) moment = known();
      this.#setMoment(moment);
      this.actions.show();
      moment += 1;
    }
  }

  setBusy(isBusy: boolean): void {
    for (const button of [this.#attack, this.#survey]) button.disabled = isBusy;
  }

  say(text: string): void {
    this.#status.textContent = text;
  }

  #setMoment(moment: number): void {
    this.#moment.value = String(moment);
    this.#writeMoment();
  }

  #writeMoment(): void {
    const { moment } = this;
    const text = moment === 0 ? 'before' : moment === 1 ? 'random start' : `step ${moment - 1}`;
    element('moment-text', HTMLElement).textContent = text;
    this.#moment.setAttribute('aria-valuetext', text);
  }

  #write(): void {
    const { epsilon, steps, norm } = this.options;
    const quarters = Number(this.#epsilon.value);
    const radius =
      norm === 'linf' ? `${Number((epsilon * 255).toFixed(2))}/255` : String(Number(epsilon.toFixed(3)));
    const beside = quarters === 4 ? ', as trained' : '';
    element('epsilon-text', HTMLElement).textContent = `${radius}${beside}`;
    this.#epsilon.setAttribute('aria-valuetext', `${radius}${beside}`);
    element('steps-text', HTMLElement).textContent = String(steps);
  }
}

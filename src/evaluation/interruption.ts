import { InterruptedError } from '../errors.js';

/** Milliseconds until a Ctrl-C is heard and the progress is told. */
const pauseEvery = 100;

/** Lets a Ctrl-C be heard between two steps. */
export class Clock {
  #paused = 0;

  constructor(private readonly interrupted: (() => boolean) | undefined) {}

  isDue(): boolean {
    return performance.now() - this.#paused >= pauseEvery;
  }

  /** @throws {InterruptedError} where somebody asked for it. */
  async pause(): Promise<void> {
    await new Promise(setImmediate);
    this.#paused = performance.now();
    if (this.interrupted?.() === true)
      throw new InterruptedError(
        'Interrupted; the evaluation was not finished and nothing was written. With `folder` it can be resumed.',
      );
  }
}

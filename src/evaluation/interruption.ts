import { InterruptedError } from '../errors.js';

/**
 * Yields to the event loop, so that signals are handled.
 *
 * @throws {InterruptedError} with this message, if `interrupted` returns true.
 */
export async function pause(interrupted: (() => boolean) | undefined, message: string): Promise<void> {
  await new Promise(setImmediate);
  if (interrupted?.() === true) throw new InterruptedError(message);
}

/** Milliseconds between two pauses of an attack. */
const pauseEvery = 100;

/** Decides when an evaluation pauses. */
export class PauseClock {
  #paused = 0;

  constructor(private readonly interrupted: (() => boolean) | undefined) {}

  isDue(): boolean {
    return performance.now() - this.#paused >= pauseEvery;
  }

  /** @throws {InterruptedError} if the evaluation was interrupted. */
  async pause(): Promise<void> {
    await pause(
      this.interrupted,
      'Interrupted; the evaluation is incomplete and nothing was written. With `folder` it can be resumed.',
    );
    this.#paused = performance.now();
  }
}

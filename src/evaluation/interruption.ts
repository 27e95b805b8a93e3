import { InterruptedError } from '../errors.js';

/**
 * Lets the event loop run, so that a Ctrl-C is noticed.
 *
 * @throws {InterruptedError} with this message, where `interrupted` says so.
 */
export async function pause(interrupted: (() => boolean) | undefined, message: string): Promise<void> {
  await new Promise(setImmediate);
  if (interrupted?.() === true) throw new InterruptedError(message);
}

/** Milliseconds between two pauses of an attack. */
const pauseEvery = 100;

/** Says when the next pause of an evaluation is due. */
export class PauseClock {
  #paused = 0;

  constructor(private readonly interrupted: (() => boolean) | undefined) {}

  isDue(): boolean {
    return performance.now() - this.#paused >= pauseEvery;
  }

  /** @throws {InterruptedError} where the evaluation is interrupted. */
  async pause(): Promise<void> {
    await pause(
      this.interrupted,
      'Interrupted; the evaluation was not finished and nothing was written. With `folder` it can be resumed.',
    );
    this.#paused = performance.now();
  }
}

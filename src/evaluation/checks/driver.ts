import type { Attack, Threat } from '../../attacks/attack.js';
import { InterruptedError } from '../../errors.js';
import { attackBatch } from '../attack-batch.js';
import { type Probe, uncounted } from './probe.js';

/** Who is told how far the checks are, and asked whether to go on. */
export interface Watch {
  /** Asked now and then; true ends the checks with an `InterruptedError`. */
  readonly interrupted?: () => boolean;
  /** Told after each attack of the full set. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Lets a Ctrl-C be heard. @throws {InterruptedError} where one was. */
export async function pause(interrupted: (() => boolean) | undefined): Promise<void> {
  await new Promise(setImmediate);
  if (interrupted?.() === true) throw new InterruptedError('Interrupted in the checks; nothing was written.');
}

/** How many images of a probe an attack breaks. */
export async function brokenBy(
  probe: Probe,
  options: { readonly attack: Attack; readonly threat: Threat; readonly interrupted?: () => boolean },
): Promise<number> {
  const { attack, threat, interrupted } = options;
  const { subject, batch, seed, classes } = probe;
  const search = attackBatch(subject, batch, { attack, threat, seed, classes, count: uncounted() });
  try {
    for (let state = search.next(); ; state = search.next()) {
      if (state.done === true) return state.value.length;
      await pause(interrupted);
    }
  } finally {
    search.return([]); // frees what it holds, where it was left before its end
  }
}

import { InterruptedError } from '../errors.js';

/**
 * Listens to Ctrl-C (and to SIGTERM, which schedulers send) on behalf of a long command. The first aborts the
 * signal, which the command reads once a step, after yielding with `setImmediate`: a synchronous loop never
 * sees it. It then writes its checkpoint and calls `throwIfAborted()`, which throws an InterruptedError. The
 * second ends the process at once, with 130.
 *
 * Commands that do not call this end at the first Ctrl-C, as any program.
 *
 * @param tell says to the person what happens now; a display's `note` keeps its progress bar in order.
 */
export function listenForInterrupt(tell: (sentence: string) => void = writeLine): AbortSignal {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    tell('Stopping after this step. Ctrl-C again stops at once, and loses what is not in a checkpoint.');
    controller.abort(new InterruptedError('Interrupted; what was done so far has been written.'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

function writeLine(sentence: string): void {
  process.stderr.write(`\n${sentence}\n`);
}

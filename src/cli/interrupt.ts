import { InterruptedError } from '../errors.js';
import { printError } from './terminal/print.js';

/**
 * Handles Ctrl-C (and SIGTERM, as sent by schedulers) for a long-running command. The first aborts the signal, which
 * the command polls once per step, after yielding with `setImmediate`, since a synchronous loop would never see it. The
 * command then writes its checkpoint and calls `throwIfAborted()`, which throws an InterruptedError. The second exits
 * immediately with code 130.
 *
 * Commands that do not call this exit at the first Ctrl-C.
 *
 * @param log prints a message to the user; the `note` of a display also redraws its progress bar.
 */
export function listenForInterrupt(log: (sentence: string) => void = writeLine): AbortSignal {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    log(
      'Stopping after this step. Press Ctrl-C again to stop immediately and lose the progress since the last checkpoint.',
    );
    controller.abort(new InterruptedError('Interrupted; the progress has been saved.'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

function writeLine(sentence: string): void {
  printError(`\n${sentence}\n`);
}

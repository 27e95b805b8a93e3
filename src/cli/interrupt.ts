import { InterruptedError } from '../errors.js';

/**
 * Listens to Ctrl-C (and to SIGTERM, which schedulers send) on behalf of a long command. The first aborts the
 * signal, which the command reads once a step, after yielding with `setImmediate`: a synchronous loop never
 * sees it. It then writes its checkpoint and calls `throwIfAborted()`, which throws an InterruptedError. The
 * second ends the process at once, with 130.
 *
 * Commands that do not call this end at the first Ctrl-C, as any program.
 */
export function listenForInterrupt(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write(
      '\nStopping after this step and writing a checkpoint. Ctrl-C again stops at once.\n',
    );
    controller.abort(new InterruptedError('Interrupted; what was done so far has been written.'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

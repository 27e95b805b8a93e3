import { Worker } from 'node:worker_threads';

/** The thread's program. A file that another process put in this one's place is left alone. */
const program = `
  import { statSync, utimesSync } from 'node:fs';
  import { workerData } from 'node:worker_threads';
  const { path, milliseconds } = workerData;
  const { ino } = statSync(path);
  setInterval(() => {
    try {
      if (statSync(path).ino === ino) utimesSync(path, new Date(), new Date());
    } catch {
      // The file is gone, or its file system does not answer.
    }
  }, milliseconds);`;

/**
 * Changes the modification time of a file every few seconds, as a sign that this process lives: from a thread, which a
 * long computation does not block.
 */
export function startBeat(path: string, seconds: number): { stop(): void } {
  const source = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const worker = new Worker(source, { workerData: { path, milliseconds: seconds * 1000 } });
  // The sign is missed where the thread cannot run; the work goes on.
  worker.on('error', () => {});
  worker.unref();
  return { stop: () => void worker.terminate() };
}

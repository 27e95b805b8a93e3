import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { RunError } from '../src/errors.js';
import { packageFolder } from '../src/provenance/package-folder.js';

/** The step that PyTorch is asked to make ready. */
export interface RivalSettings {
  readonly width: number;
  readonly activation: string;
  readonly variant: string;
  readonly batch: number;
  readonly threads: number;
}

/** PyTorch as a long-lived worker, which is asked things. */
export class Worker implements Disposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  constructor(python: string, script: string) {
    this.#process = spawn(python, ['-B', join(packageFolder, 'bench', 'peer', script)], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** @throws {RunError} where the answer is not of that form. */
  protected async ask<T>(request: string, schema: z.ZodType<T>): Promise<T> {
    this.#process.stdin.write(`${request}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new RunError('rival', `PyTorch ended while it was asked to ${request}.`);
    const answer: unknown = JSON.parse(String(value));
    const parsed = schema.safeParse(answer);
    if (!parsed.success)
      throw new RunError('rival', `PyTorch was asked to ${request} and answered ${String(value)}`);
    return parsed.data;
  }

  [Symbol.dispose](): void {
    this.#process.kill();
  }
}

/** A worker that takes training steps and answers how long they took. */
export class Rival extends Worker {
  /** Makes it ready to run steps; compilation and warm-up are over when it answers. */
  async setUp(settings: RivalSettings): Promise<void> {
    await this.ask(`setup ${JSON.stringify(settings)}`, z.object({ ready: z.literal(true) }));
  }

  /** Seconds that `steps` steps took. */
  async run(steps: number): Promise<number> {
    const { seconds } = await this.ask(`run ${steps}`, z.object({ seconds: z.number() }));
    return seconds;
  }

  /** Its peak of resident memory so far, in MB above what was resident when torch was loaded and no network made. */
  async peakMemory(): Promise<number> {
    const { peakMegabytes } = await this.ask('memory', z.object({ peakMegabytes: z.number() }));
    return peakMegabytes;
  }
}

/** The version of PyTorch that this Python has; null where it has none. */
export function torchVersion(python: string): string | null {
  const asked = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' });
  return asked.status === 0 ? asked.stdout.trim() : null;
}

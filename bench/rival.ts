import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { RunError } from '../src/errors.js';
import { packageFolder } from '../src/provenance/package-folder.js';

/** Settings of PyTorch's training step. */
export interface RivalSettings {
  readonly width: number;
  readonly activation: string;
  readonly variant: string;
  readonly batch: number;
  readonly threads: number;
  /** @default 'cpu' */
  readonly device?: 'cpu' | 'cuda';
  /** @default 'resnet18' */
  readonly network?: string;
  /** @default 1 */
  readonly attackSteps?: number;
  /** @default 'float32' */
  readonly precision?: string;
  /** A training step, or the gradient of the images alone. @default 'step' */
  readonly work?: 'step' | 'attack-pass';
}

/** A long-lived PyTorch process that answers requests. */
export class Worker implements Disposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  constructor(python: string, script: string) {
    this.#process = spawn(python, ['-B', join(packageFolder, 'bench', 'peer', script)], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** Sends a request and parses the answer. @throws {RunError} if the answer does not match the schema. */
  protected async ask<T>(request: string, schema: z.ZodType<T>): Promise<T> {
    this.#process.stdin.write(`${request}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new RunError('rival', `PyTorch exited during the request ${request}.`);
    const answer: unknown = JSON.parse(String(value));
    const parsed = schema.safeParse(answer);
    if (!parsed.success)
      throw new RunError('rival', `PyTorch answered the request ${request} with ${String(value)}`);
    return parsed.data;
  }

  [Symbol.dispose](): void {
    this.#process.kill();
  }
}

/** A worker that times training steps. */
export class Rival extends Worker {
  /** Prepares the step; resolves after compilation and warm-up. */
  async setUp(settings: RivalSettings): Promise<void> {
    await this.ask(`setup ${JSON.stringify(settings)}`, z.object({ ready: z.literal(true) }));
  }

  /** Seconds of `steps` steps. */
  async run(steps: number): Promise<number> {
    const { seconds } = await this.ask(`run ${steps}`, z.object({ seconds: z.number() }));
    return seconds;
  }

  /** Peak resident memory so far, in MB above the value after loading torch and before creating the network. */
  async peakMemory(): Promise<number> {
    const { peakMegabytes } = await this.ask('memory', z.object({ peakMegabytes: z.number() }));
    return peakMegabytes;
  }
}

/** The PyTorch version of a Python; null without PyTorch. */
export function torchVersion(python: string): string | null {
  const query = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' });
  return query.status === 0 ? query.stdout.trim() : null;
}

import type { DemoDescription, DemoNetwork } from '../../src/browser/demo-description.js';
import type { AttackedImages, BrowserPgdOptions, Iterate } from '../../src/browser/pgd.js';
import type { Answer, Place, Request, Verdict } from './protocol.js';

type WithoutNumber<Each> = Each extends Request ? Omit<Each, 'number'> : never;

/** A network in its worker. */
export class NetworkClient {
  readonly #worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  readonly #listeners = new Map<number, (answer: Answer) => void>();
  #requests = 0;

  constructor(readonly network: DemoNetwork) {
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#listeners.get(data.number)?.(data);
    this.#worker.onerror = ({ message }) => {
      for (const [number, listen] of this.#listeners)
        listen({ number, kind: 'failed', message: message || 'The worker of the network ended.' });
    };
  }

  /** Loads the network, in place of where it was before. */
  async open({ classes, shape }: DemoDescription, place: Place): Promise<void> {
    const url = new URL(this.network.file, document.baseURI).href;
    for await (const _ of this.#ask({ kind: 'open', url, classes: classes.length, shape, place }));
  }

  /** The logits of one image as it is. */
  async look(images: AttackedImages): Promise<Float32Array> {
    for await (const answer of this.#ask({ kind: 'look', images }))
      if (answer.kind === 'logits') return answer.logits;
    throw new Error('The network gave no answer.');
  }

  async *attack(
    images: AttackedImages,
    options: BrowserPgdOptions,
    signal: AbortSignal,
  ): AsyncGenerator<Iterate> {
    for await (const answer of this.#ask({ kind: 'attack', images, options }, signal))
      if (answer.kind === 'iterate') yield answer;
  }

  async survey(images: AttackedImages, options: BrowserPgdOptions): Promise<readonly Verdict[]> {
    for await (const answer of this.#ask({ kind: 'survey', images, options }))
      if (answer.kind === 'verdicts') return answer.verdicts;
    throw new Error('The network gave no answer.');
  }

  /** Sends a request and yields its answers; ends early if `signal` does. */
  async *#ask(request: WithoutNumber<Request>, signal?: AbortSignal): AsyncGenerator<Answer> {
    const number = this.#requests++;
    const waiting: Answer[] = [];
    let wake = () => {};
    this.#listeners.set(number, (answer) => {
      waiting.push(answer);
      wake();
    });
    const stop = () => {
      this.#worker.postMessage({ kind: 'stop', number: this.#requests++, stopped: number });
      wake();
    };
    signal?.addEventListener('abort', stop);
    try {
      this.#worker.postMessage({ ...request, number });
      for (;;) {
        if (signal?.aborted) return;
        const answer = waiting.shift();
        if (answer === undefined)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        else if (answer.kind === 'failed') throw new Error(answer.message);
        else if (answer.kind === 'done') return;
        else yield answer;
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#listeners.delete(number);
    }
  }
}

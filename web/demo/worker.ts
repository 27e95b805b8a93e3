/** Runs one network and attacks it, off the page's thread, so that the page stays responsive. */

import {
  type AttackedImages,
  type BrowserPgdOptions,
  browserPgd,
  type Differentiate,
  marginOf,
  predictedClass,
} from '../../src/browser/pgd.js';
import type { Answer, Request, Verdict } from './protocol.js';
import { loadRuntime } from './runtime.js';

const page = globalThis as unknown as {
  postMessage(answer: Answer): void;
  onmessage: ((event: MessageEvent<Request>) => void) | null;
};

interface Opened {
  readonly classes: number;
  readonly differentiate: Differentiate;
  close(): Promise<void>;
}
let open: Opened | null = null;
const stopped = new Set<number>();

/** Requests are answered one after another, so that a network is not closed while it computes. */
let before = Promise.resolve();

page.onmessage = ({ data: request }) => {
  if (request.kind === 'stop') stopped.add(request.stopped);
  else before = before.then(() => carryOut(request));
};

async function carryOut(request: Exclude<Request, { kind: 'stop' }>): Promise<void> {
  const { number } = request;
  const answer = (content: Omit<Extract<Answer, { kind: 'done' }>, 'number'> | Content) =>
    page.postMessage({ number, ...content } as Answer);
  try {
    if (request.kind === 'open') {
      await open?.close();
      open = null;
      open = await openNetwork(request);
    } else
      for await (const content of answersTo(request)) {
        if (stopped.has(number)) break;
        answer(content);
      }
    answer({ kind: 'done' });
  } catch (error) {
    answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

type Content = { [Each in Answer as Each['kind']]: Omit<Each, 'number'> }[Answer['kind']];

async function openNetwork(request: Extract<Request, { kind: 'open' }>): Promise<Opened> {
  const { url, classes, shape, place } = request;
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} is not there (${response.status}).`);
  const { Tensor, open } = await loadRuntime(place);
  const session = await open(await response.arrayBuffer());
  const differentiate: Differentiate = async (images, labels) => {
    const oneHot = new Float32Array(labels.length * classes);
    for (const [row, label] of labels.entries()) oneHot[row * classes + label] = 1;
    const { logits, gradient } = await session.run({
      images: new Tensor(images, [labels.length, ...shape]),
      labels: new Tensor(oneHot, [labels.length, classes]),
    });
    return { logits: logits!.data as Float32Array, gradient: gradient!.data as Float32Array };
  };
  return { classes, differentiate, close: () => session.release() };
}

async function* answersTo(request: Extract<Request, { images: AttackedImages }>): AsyncGenerator<Content> {
  if (open === null) throw new Error('The network is not loaded.');
  const { differentiate } = open;
  const { images } = request;
  if (request.kind === 'look') {
    const { logits } = await differentiate(images.images, images.labels);
    yield { kind: 'logits', logits };
  } else if (request.kind === 'attack')
    for await (const iterate of browserPgd(differentiate, images, request.options)) {
      await afterMessages();
      yield { kind: 'iterate', ...iterate };
    }
  else yield { kind: 'verdicts', verdicts: await survey(images, request.options) };
}

/** Lets a request to stop arrive: WebAssembly itself does not yield. */
const afterMessages = () => new Promise<void>((resolve) => setTimeout(resolve));

async function survey(images: AttackedImages, options: BrowserPgdOptions): Promise<readonly Verdict[]> {
  const { classes, differentiate } = open!;
  const row = (logits: Float32Array, index: number) =>
    logits.subarray(index * classes, (index + 1) * classes);
  const { labels } = images;
  const { logits: clean } = await differentiate(images.images, labels);
  const verdicts = labels.map((label, index) => {
    const logits = row(clean, index);
    const isRight = predictedClass(logits) === label;
    return { isRight, holds: isRight, margin: marginOf(logits, label) };
  });
  for await (const { logits } of browserPgd(differentiate, images, options))
    for (const [index, label] of labels.entries()) {
      const own = row(logits, index);
      const verdict = verdicts[index]!;
      verdict.holds &&= predictedClass(own) === label;
      verdict.margin = Math.max(verdict.margin, marginOf(own, label));
    }
  return verdicts;
}

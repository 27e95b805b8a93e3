/** Runs one network and attacks it, off the page's thread, so that the page stays responsive. */

import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import * as ort from 'onnxruntime-web/wasm';
import {
  type AttackedImages,
  type BrowserPgdOptions,
  browserPgd,
  type Differentiate,
  marginOf,
  predictedClass,
} from '../../src/browser/pgd.js';
import type { Answer, Request, Verdict } from './protocol.js';

const page = globalThis as unknown as {
  postMessage(answer: Answer): void;
  onmessage: ((event: MessageEvent<Request>) => void) | null;
};

// One thread: two networks compute at once, and several would need headers that a plain host does not send.
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm: new URL(wasmUrl, import.meta.url).href };
ort.env.logLevel = 'error';

let open: { readonly classes: number; readonly differentiate: Differentiate } | null = null;
const stopped = new Set<number>();

page.onmessage = async ({ data: request }) => {
  const { number } = request;
  const answer = (content: Omit<Extract<Answer, { kind: 'done' }>, 'number'> | Content) =>
    page.postMessage({ number, ...content } as Answer);
  try {
    if (request.kind === 'stop') stopped.add(request.stopped);
    else if (request.kind === 'open') open = await openNetwork(request);
    else
      for await (const content of answersTo(request)) {
        if (stopped.has(number)) break;
        answer(content);
      }
    answer({ kind: 'done' });
  } catch (error) {
    answer({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
};

type Content = { [Each in Answer as Each['kind']]: Omit<Each, 'number'> }[Answer['kind']];

async function openNetwork({ url, classes, shape }: Extract<Request, { kind: 'open' }>) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} is not there (${response.status}).`);
  const session = await ort.InferenceSession.create(await response.arrayBuffer(), {
    executionProviders: ['wasm'],
  });
  const differentiate: Differentiate = async (images, labels) => {
    const oneHot = new Float32Array(labels.length * classes);
    for (const [row, label] of labels.entries()) oneHot[row * classes + label] = 1;
    const { logits, gradient } = await session.run({
      images: new ort.Tensor(images, [labels.length, ...shape]),
      labels: new ort.Tensor(oneHot, [labels.length, classes]),
    });
    return { logits: logits!.data as Float32Array, gradient: gradient!.data as Float32Array };
  };
  return { classes, differentiate };
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

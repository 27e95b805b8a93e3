import { type Context, Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { InputError } from '../errors.js';
import type { EvaluationSummary } from './api.js';
import { Catalogue } from './catalogue.js';
import { demoFile } from './demos.js';
import { evaluationDetails } from './evaluation-details.js';
import { galleryPage, galleryPicture, type PictureKind } from './gallery.js';
import { admit, type GuardOptions } from './guard.js';
import { inBatches } from './in-batches.js';
import { NotServed } from './not-served.js';
import { OpenedEvaluations } from './opened-evaluations.js';
import { OpenedRuns } from './opened-runs.js';
import type { PageFile } from './page-files.js';
import { readStored, summariseEvaluation } from './stored-evaluation.js';

export interface ApplicationOptions extends GuardOptions {
  /** The real path of the served folder. */
  readonly root: string;
  readonly page: ReadonlyMap<string, PageFile>;
  /** Told of a failure that is a bug. */
  readonly onBug: (error: unknown) => void;
  /** Between two looks at the runs while a page is open. @default 1000 */
  readonly pollMilliseconds?: number;
}

/** Addresses of the page; its script reads the rest. */
const views = ['/', '/run', '/compare', '/evaluation'];
/** Runs that are compared at once; more would be told apart by nobody. */
const mostCompared = 12;
/** Points of a curve of accuracy against ε. */
const mostPoints = 50;
/** Streams open at the same time, over all browsers. */
const mostStreams = 100;
const heartbeat = 15_000;

const headers: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The page of a demo computes in WebAssembly, in workers, and takes pictures of the visitor's. */
const demoPolicy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; " +
  "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The addresses of `serve`: the page, under /api/ what it shows, and under /demo/ the demos. It only reads. */
export function application(options: ApplicationOptions): Hono {
  const { root, page, hosts, token, onBug, pollMilliseconds = 1000 } = options;
  const catalogue = new Catalogue(root, pollMilliseconds);
  const runs = new OpenedRuns(root, catalogue);
  const evaluations = new OpenedEvaluations(root);
  const app = new Hono();
  let streams = 0;

  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    const { pathname, search } = new URL(c.req.url);
    const refusal = admit(
      { method: c.req.method, url: `${pathname}${search}`, header: (name) => c.req.header(name) },
      { hosts, token },
    );
    if (refusal === undefined) return next();
    if (refusal.status !== 303) return c.text(`${refusal.message}\n`, refusal.status);
    c.header('set-cookie', refusal.cookie);
    return c.redirect(refusal.location, 303);
  });

  app.get('/api/runs', async (c) => fresh(c).json(await catalogue.listing()));
  app.get('/api/run', async (c) => fresh(c).json(await runs.details(one(c, 'run'))));
  app.get('/api/curves', async (c) => {
    const range = {
      from: number(c, 'from', 0),
      to: number(c, 'to', Number.MAX_SAFE_INTEGER),
      width: Math.min(2000, Math.max(10, Math.floor(number(c, 'width', 600)))),
    };
    return fresh(c).json(await runs.curves(one(c, 'run'), range));
  });
  app.get('/api/compare', async (c) => {
    const ids = [...new Set(c.req.queries('run') ?? [])].slice(0, mostCompared);
    return fresh(c).json(await runs.comparison(ids));
  });
  app.get('/api/evaluation', async (c) => {
    const id = one(c, 'evaluation');
    const opened = await evaluations.get(id);
    await catalogue.update({ isSearched: true });
    const own = summariseEvaluation(opened.stored);
    const others = await inBatches(
      catalogue.evaluations
        .filter((each) => each.id !== id && isAtOtherEpsilon(each, own))
        .slice(0, mostPoints),
      (each) => readStored(root, each.id).catch(() => undefined),
    );
    const found = others.filter((each) => each !== undefined);
    return fresh(c).json(evaluationDetails(opened, found));
  });
  app.get('/api/gallery', async (c) => {
    const choice = {
      label: c.req.query('class') === undefined ? null : number(c, 'class', 0),
      attack: c.req.query('attack') ?? null,
      page: Math.floor(number(c, 'page', 1)),
    };
    return fresh(c).json(await galleryPage(root, await evaluations.get(one(c, 'evaluation')), choice));
  });
  app.get('/api/picture', async (c) => {
    const kind = one(c, 'kind');
    if (!isPictureKind(kind)) throw new NotServed('picture of that kind');
    const wanted = { image: number(c, 'image', -1), kind, factor: number(c, 'factor', 1) };
    const png = await galleryPicture(root, await evaluations.get(one(c, 'evaluation')), wanted);
    c.header('cache-control', 'private, max-age=60');
    return c.body(Uint8Array.from(png), 200, { 'content-type': 'image/png' });
  });
  app.get('/api/live', (c) => {
    if (c.req.method === 'HEAD') return c.body(null);
    if (streams >= mostStreams) return c.text('Too many pages are open.\n', 503);
    return streamSSE(c, async (stream) => {
      streams += 1;
      const ended = new Promise<void>((resolve) => stream.onAbort(resolve));
      const write = (event: string, data: string) => stream.writeSSE({ event, data }).catch(() => undefined);
      const stop = catalogue.listen((change) => void write('change', JSON.stringify(change)));
      const beat = setInterval(() => void write('beat', ''), heartbeat);
      try {
        await write('beat', '');
        await ended;
      } finally {
        stop();
        clearInterval(beat);
        streams -= 1;
      }
    });
  });

  app.get('/demo/*', async (c) => {
    const path = decoded(new URL(c.req.url).pathname.slice('/demo/'.length));
    const { body, type } = await demoFile(root, path);
    c.header('content-security-policy', demoPolicy);
    c.header(
      'cache-control',
      path.includes('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache',
    );
    return c.body(body, 200, { 'content-type': type });
  });

  app.get('*', (c) => {
    const { pathname } = new URL(c.req.url);
    const file = page.get(views.includes(pathname) ? '/index.html' : pathname);
    if (file === undefined) return c.text('There is nothing at this address.\n', 404);
    // The names of assets contain a digest of their content.
    c.header(
      'cache-control',
      pathname.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache',
    );
    return c.body(file.body, 200, { 'content-type': file.type });
  });

  app.onError((error, c) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    if (error instanceof NotServed || isMissing(error)) {
      const what = error instanceof NotServed ? error.message : 'It is not there any more.';
      return c.json({ error: what }, 404);
    }
    if (error instanceof InputError) return c.json({ error: error.message }, 422);
    onBug(error);
    return c.json({ error: 'This is a bug in Satin; the terminal shows its details.' }, 500);
  });
  return app;
}

/** Whether an evaluation may be another point of the curve of accuracy against ε. */
function isAtOtherEpsilon(other: EvaluationSummary, own: EvaluationSummary): boolean {
  return (
    other.isFinished &&
    other.epsilon !== own.epsilon &&
    other.data === own.data &&
    other.examples === own.examples &&
    other.attacks.join() === own.attacks.join()
  );
}

/** @throws {NotServed} for an address that is none. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new NotServed('file of that name');
  }
}

function fresh(c: Context): Context {
  c.header('cache-control', 'no-store');
  return c;
}

/** @throws {NotServed} without the parameter. */
function one(c: Context, name: string): string {
  const value = c.req.query(name);
  if (value === undefined || value === '') throw new NotServed(`${name} without a name`);
  return value;
}

/** A finite number of the query. */
function number(c: Context, name: string, otherwise: number): number {
  const value = Number(c.req.query(name) ?? otherwise);
  return Number.isFinite(value) ? value : otherwise;
}

function isPictureKind(kind: string): kind is PictureKind {
  return kind === 'original' || kind === 'adversarial' || kind === 'change';
}

/** A file that vanished between two looks. */
function isMissing(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'ESTALE'].includes(String(error.code))
  );
}

import type { ListingChange } from '../../src/serve/api.js';

/** A failed request, with the sentence that the server gave. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Asks the server for JSON. @throws {Refused} */
export async function ask<T>(
  what: string,
  query: Readonly<Record<string, string | number | readonly string[] | null>>,
  signal?: AbortSignal,
): Promise<T> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null) continue;
    if (typeof value === 'string' || typeof value === 'number') search.set(name, String(value));
    else for (const each of value) search.append(name, each);
  }
  let answer: Response;
  try {
    answer = await fetch(`/api/${what}?${search}`, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new Refused(0, 'The server does not answer. Is it still running?');
  }
  if (answer.ok) return (await answer.json()) as T;
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
  const message = isJson ? ((await answer.json()) as { error: string }).error : await answer.text();
  throw new Refused(answer.status, message);
}

type Listener = (change: ListingChange | 'again') => void;

const listeners = new Set<Listener>();
const stateListeners = new Set<(isLive: boolean) => void>();
let source: EventSource | undefined;
let wasLost = false;

/**
 * Calls back with what changes in the served folder, or with `again` where something may have been missed. A page in the
 * background gives its connection up: a browser has six for a server.
 */
export function follow(listener: Listener, signal: AbortSignal): void {
  listeners.add(listener);
  signal.addEventListener('abort', () => listeners.delete(listener));
}

/** Calls back whenever the connection is made or lost. */
export function followConnection(listener: (isLive: boolean) => void): void {
  stateListeners.add(listener);
}

function tell(isLive: boolean): void {
  for (const listener of stateListeners) listener(isLive);
}

function connect(): void {
  source?.close();
  source = new EventSource('/api/live');
  source.addEventListener('open', () => {
    tell(true);
    if (wasLost) for (const listener of listeners) listener('again');
    wasLost = false;
  });
  source.addEventListener('error', () => {
    wasLost = true;
    tell(false);
  });
  source.addEventListener('change', ({ data }) => {
    for (const listener of listeners) listener(JSON.parse(data) as ListingChange);
  });
}

export function startFollowing(): void {
  connect();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      source?.close();
      source = undefined;
      wasLost = true;
    } else if (source === undefined) connect();
  });
}

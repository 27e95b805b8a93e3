import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';

/** A request as far as its admission depends on it. */
export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** By lower-case name. */
  readonly header: (name: string) => string | undefined;
}

export interface GuardOptions {
  /** Further names and addresses under which the server may be addressed; those of loopback always are. */
  readonly hosts: readonly string[];
  /** Asked of every request; null on loopback. */
  readonly token: string | null;
}

/** What to answer instead; undefined admits the request. */
export type Refusal =
  | { readonly status: 403 | 405 | 401; readonly message: string }
  /** The token came in the address: it is kept in a cookie, and the address goes on without it. */
  | { readonly status: 303; readonly location: string; readonly cookie: string };

const loopback = ['localhost', '127.0.0.1', '::1'];
export const tokenCookie = 'satin-token';

/**
 * Decides on a request before anything is read. A page of another site cannot reach the server: not by a name that leads
 * here (foreign Host), not by a request from its scripts (Origin, Sec-Fetch-Site); opening a link is allowed.
 */
export function admit(asked: Asked, { hosts, token }: GuardOptions): Refusal | undefined {
  const { method, header } = asked;
  const host = header('host');
  const name = hostName(host ?? '');
  if (name === undefined || ![...loopback, ...hosts.map((each) => each.toLowerCase())].includes(name))
    return { status: 403, message: 'Expected the Host of this server but received another name.' };
  if (method !== 'GET' && method !== 'HEAD')
    return { status: 405, message: 'Expected GET: this server only reads.' };
  if (isForeign(asked, host!))
    return { status: 403, message: 'Expected a request of this page but received one of another site.' };
  return token === null ? undefined : requireToken(asked, token);
}

/** The name in a Host header, without its port and brackets; undefined if it is none. */
function hostName(host: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(host) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? bracketed.toLowerCase() : undefined;
  return plain?.toLowerCase();
}

function isForeign({ header }: Asked, host: string): boolean {
  const origin = header('origin');
  if (origin !== undefined && origin.toLowerCase() !== `http://${host}`.toLowerCase()) return true;
  const site = header('sec-fetch-site');
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  return header('sec-fetch-mode') !== 'navigate' || header('sec-fetch-dest') !== 'document';
}

function requireToken({ url, header }: Asked, token: string): Refusal | undefined {
  const address = new URL(url, 'http://localhost');
  const inAddress = address.searchParams.get('token');
  if (inAddress !== null && isEqual(inAddress, token)) {
    address.searchParams.delete('token');
    return {
      status: 303,
      // One slash: two would lead to another host.
      location: `/${address.pathname.replace(/^\/+/, '')}${address.search}`,
      cookie: `${tokenCookie}=${token}; HttpOnly; SameSite=Lax; Path=/`,
    };
  }
  const cookies = (header('cookie') ?? '').split(/;\s*/);
  const prefix = `${tokenCookie}=`;
  const found = cookies.find((cookie) => cookie.startsWith(prefix))?.slice(prefix.length);
  if (found !== undefined && isEqual(found, token)) return undefined;
  return {
    status: 401,
    message: 'Expected the token of this server: open the whole address that it printed when it started.',
  };
}

/** In a time that does not depend on where they differ. */
function isEqual(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

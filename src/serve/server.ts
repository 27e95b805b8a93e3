import { randomBytes } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { createAdaptorServer } from '@hono/node-server';
import { InputError } from '../errors.js';
import { application } from './application.js';
import { type PageFile, readPageFiles } from './page-files.js';

export interface ServeOptions {
  /** A folder with runs and evaluations at any depth, or one of them. */
  readonly folder: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** A name or address to bind to. @default '127.0.0.1' */
  readonly host?: string;
  /** Told of a failure that is a bug. */
  readonly onBug: (error: unknown) => void;
  /** @default the built page of the package */
  readonly page?: ReadonlyMap<string, PageFile>;
}

export interface RunningServer {
  /** The address to open, with the token if there is one. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts the web page of a folder of runs. It binds to loopback unless another host is stated; then every request needs
 * a random token.
 *
 * @throws {InputError} if the folder is not there, the page is not built, or the port is taken.
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { folder, port, host = '127.0.0.1', onBug, page = readPageFiles() } = options;
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw InputError.expected('an existing folder', 'the folder to serve', folder);
  const token = isLoopback(host) ? null : randomBytes(24).toString('base64url');
  const hosts = token === null ? [host] : [host, hostname(), ...addresses()];
  const app = application({ root: realpathSync(folder), page, hosts, token, onBug });
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await listen(server, { port, host });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const shown = host === '0.0.0.0' || host === '::' ? hostname() : isIP(host) === 6 ? `[${host}]` : host;
  return {
    url: `http://${shown}:${bound}/${token === null ? '' : `?token=${token}`}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(
  server: Server,
  { port, host }: { readonly port: number; readonly host: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = {
        EADDRINUSE: InputError.expected(
          'a free port',
          '`port`',
          port,
          'Another program uses it; `port` 0 takes a free one.',
        ),
        EACCES: InputError.expected('a port that may be used', '`port`', port, 'Below 1024 only root may.'),
        EADDRNOTAVAIL: InputError.expected('an address of this machine', '`host`', host),
        ENOTFOUND: InputError.expected('an address of this machine', '`host`', host),
      }[error.code ?? ''];
      reject(reason ?? error);
    });
    server.listen({ port, host }, () => resolve());
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** The addresses of this machine. */
function addresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((found = []) => found.map(({ address }) => address));
}

import { Command } from '@commander-js/extra-typings';
import { InputError } from '../../errors.js';
import { wholeNumber } from '../option-parsers.js';
import { print, printError } from '../terminal/print.js';

/** `satin serve [FOLDER]` */
export function serveCommand() {
  return new Command('serve')
    .description(
      'Serves a web page of the runs and evaluations in a folder, live while they go on. It only reads, and listens on ' +
        'this machine alone unless --host says otherwise; then the printed address contains a token.',
    )
    .argument('[folder]', 'folder with runs and evaluations at any depth (default: runs)')
    .option('--port <number>', 'port; 0 takes a free one (default: 8484)', wholeNumber('--port', 0))
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .action(async (folder = 'runs', { port = 8484, host }) => {
      if (port > 65_535) throw InputError.expected('a port up to 65535', '--port', port);
      const { startServer } = await import('../../serve/server.js');
      const onBug = (error: unknown) =>
        printError(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      const server = await startServer({ folder, port, onBug, ...(host !== undefined && { host }) });
      print(`Open ${server.url} in a browser. Ctrl-C ends it.\n`);
      await ended();
      await server.close();
    });
}

/** Until Ctrl-C or SIGTERM: nothing is lost, so that this is no failure. */
function ended(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

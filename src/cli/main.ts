/**
 * Entry point of the command line, run by `./satin` after the setup. The engine is loaded only by commands that need
 * it.
 */
import { commands } from './commands/commands.js';
import { reportError, runProgram } from './program.js';

// A closed pipe (`satin ... | head`) is not an error.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });

// Errors outside awaited code: without this, Node would print its own trace and choose the exit code.
process.on('uncaughtException', (error) => process.exit(reportError(error)));

process.exitCode = await runProgram(process.argv.slice(2), commands);

/**
 * Entry point of the command line, run by `./satin` after the setup. The engine is loaded only by commands that need
 * it.
 */
import { commands } from './commands/commands.js';
import { reportError, runProgram } from './program.js';

// Output that nobody takes does not end the work: a training goes on without its terminal. A closed pipe
// (`satin ... | head`) is not an error; a full disk behind `>` is one, at the end.
let isOutputLost = false;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') isOutputLost = true;
  });

// Errors outside awaited code: without this, Node would print its own trace and choose the exit code.
process.on('uncaughtException', (error) => process.exit(reportError(error)));

const exitCode = await runProgram(process.argv.slice(2), commands);
process.exitCode = exitCode === 0 && isOutputLost ? 1 : exitCode;

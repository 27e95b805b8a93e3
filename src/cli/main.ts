/** The command line: what `./satin` runs after the set-up. It loads no engine; the commands that need one do. */
import { commands } from './commands/commands.js';
import { reportError, runProgram } from './program.js';

// A reader that has seen enough (`satin ... | head`) is no error.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });

// What no command waits for: without this, Node prints its own trace and an exit code of its own.
process.on('uncaughtException', (error) => process.exit(reportError(error)));

process.exitCode = await runProgram(process.argv.slice(2), commands);

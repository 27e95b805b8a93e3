import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Ended } from './tiny-run.js';

const moduleUrl = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** Runs each line it reads (a JSON list of words) with the commands of `satin`, and answers with what came of it. */
const program = (isTerminal: boolean) => `
  import { createInterface } from 'node:readline';
  import { commands } from ${moduleUrl('cli/commands/commands.js')};
  import { runProgram } from ${moduleUrl('cli/program.js')};
  import { isLoaded } from ${moduleUrl('engine/native.js')};
  process.setMaxListeners(0);
  if (${isTerminal}) Object.assign(process.stderr, { isTTY: true, columns: 100, hasColors: () => false });
  const answer = process.stdout.write.bind(process.stdout);
  for await (const line of createInterface({ input: process.stdin })) {
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) process[name].write = (text) => { said[name] += text; return true; };
    const status = await runProgram(JSON.parse(line), commands);
    answer(JSON.stringify({ status, ...said, engineLoaded: isLoaded() }) + '\\n');
  }
  process.exit();`;

export interface Answer extends Ended {
  /** Whether any command line so far has loaded the engine. */
  readonly engineLoaded: boolean;
}

/** Many command lines in one process, one after the other, since a process for each costs a third of a second. */
export interface CommandLines {
  run(words: readonly string[]): Promise<Answer>;
  close(): void;
}

/** @param isTerminal whether standard error says that it is one */
export function commandLines({ isTerminal = false } = {}): CommandLines {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program(isTerminal)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(words) {
      child.stdin.write(`${JSON.stringify(words)}\n`);
      const { done, value } = await answers.next();
      if (done === true) throw new Error(`The process ended over ${words.join(' ')}.`);
      return JSON.parse(value) as Answer;
    },
    close: () => child.stdin.end(),
  };
}

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const moduleUrl = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** Runs each line it reads, a JSON list of words, with the commands of `satin`, and answers with what came of it. */
const program = `
  import { createInterface } from 'node:readline';
  import { commands } from ${moduleUrl('cli/commands/commands.js')};
  import { reportError, runProgram } from ${moduleUrl('cli/program.js')};
  process.setMaxListeners(0);
  const answer = process.stdout.write.bind(process.stdout);
  let said = '';
  let other = 0;
  for (const name of ['stdout', 'stderr'])
    process[name].write = (text) => { if (name === 'stderr') said += text; return true; };
  process.on('uncaughtException', (error) => { other = reportError(error); });
  for await (const line of createInterface({ input: process.stdin })) {
    said = '';
    other = 0;
    const status = await runProgram(JSON.parse(line), commands);
    await new Promise((resolve) => setImmediate(resolve));
    answer(JSON.stringify({ status: other || status, said }) + '\\n');
  }
  process.exit();`;

/** What came of a command line. */
export interface Outcome {
  /** Exit code; null where the process ended or had to be ended. */
  readonly status: number | null;
  /** Standard error; what happened to the process, where it ended. */
  readonly said: string;
  readonly seconds: number;
  /** Most memory that the process had so far, in bytes. */
  readonly peak: number;
}

/** Seconds after which a command counts as hanging. */
const patience = 10;

/**
 * A process that runs command lines one after the other, bounded in memory and time; it is started again where a command
 * ended it.
 */
export class HostileChild {
  #process = this.#start();

  #start() {
    const limited = 'ulimit -v 8000000; exec "$0" "$@"';
    const words = [process.execPath, '--max-old-space-size=1024', '--input-type=module', '-e', program];
    const child = spawn('bash', ['-c', limited, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-2000);
    });
    child.stdin.on('error', () => {}); // it has ended: the answer says so
    const ended = new Promise<string>((resolve) =>
      child.once('exit', (code, signal) => resolve(`the process ended with ${signal ?? code}: ${errors}`)),
    );
    return { child, lines, ended };
  }

  async run(words: readonly string[], most = patience): Promise<Outcome> {
    const { child, lines, ended } = this.#process;
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1000;
    child.stdin.write(`${JSON.stringify(words)}\n`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`no answer after ${most} s`), 1000 * most);
    });
    const answer = lines
      .next()
      .then(async ({ done, value }) => (done === true ? await ended : { text: String(value) }));
    const first = await Promise.race([answer, late]);
    clearTimeout(timer);
    const peak = peakOf(child.pid);
    if (typeof first !== 'string') return { ...JSON.parse(first.text), seconds: seconds(), peak };
    child.kill('SIGKILL');
    await ended;
    this.#process = this.#start();
    return { status: null, said: first, seconds: seconds(), peak };
  }

  /** Starts a fresh process, whose peak is its own. */
  async renew(): Promise<void> {
    this.close();
    await this.#process.ended;
    this.#process = this.#start();
  }

  close(): void {
    this.#process.child.kill('SIGKILL');
  }
}

function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0; // it has ended
  }
}

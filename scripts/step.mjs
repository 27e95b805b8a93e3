/** Runs one step of the setup: progress output, log, and the error message if it fails. */
import { spawn } from 'node:child_process';

/** The setup cannot continue; `message` is shown to the user. Exit code 2: the user must provide something first. */
export class SetupError extends Error {
  code = 'setup';
  name = 'SetupError';
  /**
   * @param {string} message
   * @param {1 | 2 | 130} exitCode
   */
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A step failed: the reason, and the command that fixes it. */
export class StepError extends Error {
  name = 'StepError';
  /**
   * @param {string} reason the line of the program's output that matters
   * @param {string} remedy a command
   */
  constructor(reason, remedy) {
    super(reason);
    this.remedy = remedy;
  }
}

/**
 * Runs a command without input; its output goes to the log.
 * @param {{ command: string[], cwd: string, log: (text: string) => void, env?: Record<string, string> }} options
 * @returns {Promise<{ status: number, output: string }>} a program that cannot be started has status 127
 */
export function runCommand({ command, cwd, log, env = {} }) {
  return new Promise((resolve) => {
    log(`$ ${command.join(' ')}\n`);
    const child = spawn(command[0], command.slice(1), {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const take = (data) => {
      output += data;
      log(data);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', (error) => resolve({ status: 127, output: `${output}${error.message}\n` }));
    child.on('close', (status, signal) => {
      if (signal !== null) take(`ended by ${signal}\n`);
      resolve({ status: status ?? 1, output });
    });
  });
}

/**
 * Runs a step and shows its progress: on a terminal one line that counts seconds, otherwise one line at the start and one
 * at the end.
 * @param {{ title: string, number: number, total: number, logFile: string, screen: NodeJS.WriteStream,
 *   action: (show: (detail: string) => void) => Promise<void> }} options
 * @throws {SetupError} which step failed, why, and the command that fixes it
 */
export async function runStep({ title, number, total, logFile, screen, action }) {
  const start = Date.now();
  const label = `[${number}/${total}] ${title}`;
  const seconds = () => `${Math.round((Date.now() - start) / 1000)} s`;
  let detail = '';
  const draw = (end = '') => {
    if (screen.isTTY) screen.write(`\r\x1b[K${label}  ${detail}  ${seconds()}${end}`);
  };
  const show = (text) => {
    detail = text;
    if (screen.isTTY) draw();
    else screen.write(`${label}: ${text}, ${seconds()}\n`);
  };
  if (!screen.isTTY) screen.write(`${label} ...\n`);
  draw();
  const timer = setInterval(draw, 1000);
  try {
    await action(show);
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    const sentence = `Set-up step ${number} of ${total} (${title}) failed: ${error.message.replace(/\.$/, '')}.`;
    throw new SetupError(
      `${sentence}\nThe full output is in ${logFile}. When the cause is removed, run:\n  ${error.remedy}`,
      1,
    );
  } finally {
    clearInterval(timer);
    if (screen.isTTY) screen.write('\r\x1b[K');
  }
  screen.write(`${label}: done in ${seconds()}\n`);
}

/** Whether the setup may install something, including the terminal prompt. */
import { createInterface } from 'node:readline/promises';

/**
 * `SATIN_INSTALL` (1 or 0) decides; otherwise ask on a terminal; otherwise only root may install.
 * @param {{ env: Record<string, string | undefined>, isRoot: boolean, isTerminal: boolean }} options
 * @returns {'install' | 'ask' | 'refuse'}
 */
export function permission({ env, isRoot, isTerminal }) {
  if (env.SATIN_INSTALL === '1') return 'install';
  if (env.SATIN_INSTALL === '0') return 'refuse';
  if (isTerminal) return 'ask';
  return isRoot ? 'install' : 'refuse';
}

/**
 * Asks a question on the terminal; anything but y or yes counts as no.
 * @param {string} question
 * @returns {Promise<'yes' | 'no' | 'interrupted'>}
 */
export async function ask(question) {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const interrupted = new Promise((resolve) => {
    terminal.once('SIGINT', () => resolve('interrupted'));
    terminal.once('close', () => resolve('no'));
  });
  const answered = terminal.question(question).then((text) => (/^\s*y(es)?\s*$/i.test(text) ? 'yes' : 'no'));
  try {
    return await Promise.race([answered, interrupted]);
  } finally {
    terminal.close();
  }
}

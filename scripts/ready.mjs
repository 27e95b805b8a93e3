/** Whether the set-up is complete, told from sizes and times of files in a few milliseconds. */
import { isBuilt } from '../native/build.mjs';
import { arePackagesInstalled } from './npm-packages.mjs';
import { isCompiled } from './typescript.mjs';

/**
 * @param {{ root: string, need: 'cli' | 'engine', env?: Record<string, string | undefined> }} options
 *   `cli`: npm's packages and the compiled TypeScript; `engine`: the binding too
 * @returns {boolean}
 */
export function isReady({ root, need, env = process.env }) {
  return arePackagesInstalled(root) && isCompiled(root) && (need === 'cli' || isBuilt({ root, env }));
}

/** Whether the setup is complete, determined from file sizes and times in a few milliseconds. */
import { isBuilt } from '../native/build.mjs';
import { isPageBuilt } from './demo-page.mjs';
import { arePackagesInstalled } from './npm-packages.mjs';
import { isCompiled } from './typescript.mjs';

/**
 * @param {{ root: string, need: 'cli' | 'engine', env?: Record<string, string | undefined> }} options
 *   `cli`: npm packages, compiled TypeScript and the page of the demo; `engine`: also the binding
 * @returns {boolean}
 */
export function isReady({ root, need, env = process.env }) {
  if (!arePackagesInstalled(root) || !isCompiled(root) || !isPageBuilt(root)) return false;
  return need === 'cli' || isBuilt({ root, env });
}

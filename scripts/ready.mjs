/** Whether the setup is complete, determined from file sizes and times in a few milliseconds. */
import { isBuilt } from '../native/build.mjs';
import { isPageBuilt } from './demo-page.mjs';
import { arePackagesInstalled } from './npm-packages.mjs';
import { isCompiled } from './typescript.mjs';

/**
 * @param {{ root: string, need: 'cli' | 'page' | 'engine', env?: Record<string, string | undefined> }} options
 *   `cli`: npm packages and compiled TypeScript; `page`: also the page of the demo; `engine`: also the binding
 * @returns {boolean}
 */
export function isReady({ root, need, env = process.env }) {
  if (!arePackagesInstalled(root) || !isCompiled(root)) return false;
  if (need === 'cli') return true;
  return isPageBuilt(root) && (need === 'page' || isBuilt({ root, env }));
}

/** Whether the setup is complete, determined from file sizes and times in a few milliseconds. */
import { isBuilt } from '../native/build.mjs';
import { arePackagesInstalled } from './npm-packages.mjs';
import { isCompiled } from './typescript.mjs';
import { arePagesBuilt } from './web-pages.mjs';

/**
 * @param {{ root: string, need: 'cli' | 'pages' | 'engine', env?: Record<string, string | undefined> }} options
 *   `cli`: npm packages and compiled TypeScript; `pages`: also the web pages; `engine`: also the binding
 * @returns {boolean}
 */
export function isReady({ root, need, env = process.env }) {
  if (!arePackagesInstalled(root) || !isCompiled(root)) return false;
  if (need === 'cli') return true;
  return arePagesBuilt(root) && (need === 'pages' || isBuilt({ root, env }));
}

/** Whether the setup is complete, determined from file sizes and times in a few milliseconds. */
import { isBuilt } from '../native/build.mjs';
import { arePackagesInstalled } from './npm-packages.mjs';
import { isCompiled } from './typescript.mjs';
import { isPageBuilt } from './web-page.mjs';

/**
 * @param {{ root: string, need: 'cli' | 'engine', env?: Record<string, string | undefined> }} options
 *   `cli`: npm packages, compiled TypeScript and the built page; `engine`: also the binding
 * @returns {boolean}
 */
export function isReady({ root, need, env = process.env }) {
  return (
    arePackagesInstalled(root) &&
    isCompiled(root) &&
    isPageBuilt(root) &&
    (need === 'cli' || isBuilt({ root, env }))
  );
}

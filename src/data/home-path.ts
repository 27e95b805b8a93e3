import { homedir } from 'node:os';
import { join } from 'node:path';

/** A path as a shell reads it: `~` and `~/photos` are in the user's home. Recipes and quoted options reach no shell. */
export function homePath(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

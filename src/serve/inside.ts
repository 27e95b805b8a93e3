import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { NotServed } from './not-served.js';

/**
 * The real path of what lies at `path`, slash-separated, below `root`, itself a real path. Nothing outside is reached:
 * neither by `..` nor through a symbolic link.
 *
 * @throws {NotServed} if there is nothing, or it lies outside.
 */
export async function resolveInside(root: string, path: string): Promise<string> {
  const parts = path === '.' ? [] : path.split('/');
  const isPlain = parts.every((part) => !['', '.', '..'].includes(part) && !/[\0\\]/.test(part));
  if (!isPlain || path.length > longestPath) throw new NotServed('folder of that name');
  const real = await realpath(join(root, ...parts)).catch(() => undefined);
  if (real === undefined || !isBelow(real, root)) throw new NotServed('folder of that name');
  return real;
}

/**
 * The real path of a file of at most `limit` bytes in `folder`, which lies below `root`.
 *
 * @throws {NotServed} if it is missing, larger, no plain file, or a link to outside.
 */
export async function fileInside(
  root: string,
  folder: string,
  { name, limit = Infinity }: { readonly name: string; readonly limit?: number },
): Promise<string> {
  const real = await realpath(join(folder, name)).catch(() => undefined);
  if (real === undefined || !isBelow(real, root)) throw new NotServed(name);
  const found = await stat(real).catch(() => undefined);
  if (found === undefined || !found.isFile() || found.size > limit) throw new NotServed(name);
  return real;
}

const longestPath = 4096;

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
}

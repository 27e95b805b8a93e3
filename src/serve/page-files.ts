import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { InputError } from '../errors.js';
import { packageFolder } from '../provenance/package-folder.js';

export interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The built page by address, read whole at the start: what is served is in this map, and no address reaches the disk.
 *
 * @throws {InputError} if it has not been built.
 */
export function readPageFiles(
  folder = join(packageFolder, 'dist', 'web', 'serve'),
): ReadonlyMap<string, PageFile> {
  if (!existsSync(join(folder, 'index.html')))
    throw new InputError(
      'not-built',
      `Expected the built page in ${folder} but it is not there. \`npm run build\` makes it.`,
    );
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    names.flatMap((name) => {
      const type = types[extname(name)];
      if (type === undefined) return [];
      return [
        [`/${name.replaceAll('\\', '/')}`, { body: Uint8Array.from(readFileSync(join(folder, name))), type }],
      ];
    }),
  );
}

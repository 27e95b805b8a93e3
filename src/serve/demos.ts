import { readFile, realpath } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { packageFolder } from '../provenance/package-folder.js';
import type { DemoSummary } from './api.js';
import { fileInside, resolveInside } from './inside.js';
import { NotServed } from './not-served.js';
import type { PageFile } from './page-files.js';
import { textAt, valueAt } from './plain-data.js';

/** Bytes of a description, and of any other file of a demo: the largest network that a browser loads. */
const limits = { description: 2 ** 22, file: 2 ** 31 } as const;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
  '.json': 'application/json',
  '.onnx': 'application/octet-stream',
  '.png': 'image/png',
};

/** The built page of `satin demo`. */
const builtPage = join(packageFolder, 'dist', 'web', 'demo');

/** A demo in the list; undefined if it is gone or its description cannot be read. */
export async function summariseDemo(root: string, id: string): Promise<DemoSummary | undefined> {
  try {
    const folder = await resolveInside(root, id);
    const path = await fileInside(root, folder, { name: 'demo.json', limit: limits.description });
    const description: unknown = JSON.parse(await readFile(path, 'utf8'));
    const networks = valueAt(description, 'networks');
    if (!Array.isArray(networks)) return undefined;
    const titles = networks.slice(0, 2).map((network) => textAt(network, 'title') ?? '?');
    return { id, titles, data: textAt(description, 'data') ?? '' };
  } catch {
    return undefined;
  }
}

/**
 * A file below /demo/. The page and its scripts are those of this package, whatever lies in the demo's folder, of which only the
 * description, the networks and the images are served: no script of a folder from elsewhere runs beside the runs.
 *
 * @param path decoded: `FOLDER/` for the page, `FOLDER/images/0001-cat.png` and so on
 * @throws {NotServed} if there is nothing.
 */
export async function demoFile(root: string, path: string, page = builtPage): Promise<PageFile> {
  const [, ofPage] = /(?:^|\/)((?:assets|licences)\/[\w.-]+)$/.exec(path) ?? [];
  if (ofPage !== undefined) return readPart(await realpath(page), page, ofPage);
  const [, own = '.', name] =
    /^(?:(.+)\/)?(demo\.json|networks\/[^/]+\.onnx|images\/[^/]+\.png|)$/.exec(path) ?? [];
  if (name === undefined) throw new NotServed('file of that name');
  const folder = await resolveInside(root, own);
  await fileInside(root, folder, { name: 'demo.json', limit: limits.description });
  return name === '' ? readPart(await realpath(page), page, 'index.html') : readPart(root, folder, name);
}

async function readPart(root: string, folder: string, name: string): Promise<PageFile> {
  const file = await fileInside(root, folder, { name, limit: limits.file });
  return { body: Uint8Array.from(await readFile(file)), type: types[extname(name)]! };
}

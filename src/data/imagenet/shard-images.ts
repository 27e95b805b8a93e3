import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { countOf, datasetError, firstLine } from '../dataset-error.js';
import { exists, readExisting } from '../read-file.js';
import type { EncodedImages } from './encoded-images.js';
import { reader, type TarEntry, tarEntries } from './tar-entries.js';

/** A sample of a shard: an image and its label. */
interface Sample {
  readonly key: string;
  readonly label: number;
  readonly image: TarEntry;
}

const isImage = /\.(jpe?g|png)$/i;
/** Number of archives whose headers are read concurrently. */
const together = 8;
/** Number of archives kept open; systems allow about a thousand files. */
const mostOpen = 64;
/** Number of classes if no file names them: ImageNet's. */
const usualClasses = 1000;

/**
 * The images of WebDataset archives: consecutive files with one key, `KEY.jpg` (.jpeg, .png) with `KEY.cls`, the label as a
 * number, or `KEY.json` with a field `label` or `cls`. Only headers and labels are read here; images are read on demand.
 * Class names are the lines of `classes.txt` beside the archives, else the indices of ImageNet's 1,000 classes.
 *
 * @throws {InputError} for a truncated or invalid archive, and for samples without image or label.
 */
export async function shardImages(paths: readonly string[], name: string): Promise<EncodedImages> {
  const contents: Sample[][] = [];
  let next = 0;
  const work = async () => {
    while (next < paths.length) {
      const at = next++;
      contents[at] = await samplesOf(paths[at]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(together, paths.length) }, work));

  const classes = await classNames(dirname(paths[0]!));
  const samples = contents.flat();
  const shards: number[] = [];
  const shardOf = new Uint16Array(samples.length);
  let index = 0;
  for (const [at, shard] of contents.entries()) {
    shards.push(index);
    for (const { key, label } of shard) {
      if (label >= classes.length)
        throw datasetError({
          file: `${paths[at]}: ${key}`,
          expected: `a label below ${classes.length}, the number of classes,`,
          received: String(label),
          remedy: 'Put a file classes.txt beside the archives, with the name of one class a line.',
        });
      shardOf[index++] = at;
    }
  }
  const handles = new OpenFiles();
  return {
    name,
    classes,
    labels: Uint16Array.from(samples, ({ label }) => label),
    shards,
    warnings: [],
    keyOf: (index) => samples[index]!.key,
    nameOf: (index) => `${paths[shardOf[index]!]}: ${samples[index]!.image.name}`,
    read: async (index) => {
      const { offset, size } = samples[index]!.image;
      return handles.read(paths[shardOf[index]!]!, { offset, size });
    },
    close: () => handles.close(),
  };
}

async function samplesOf(path: string): Promise<Sample[]> {
  const file = await opened(path);
  try {
    const read = reader(file);
    const samples: Sample[] = [];
    let current: { key: string; image?: TarEntry; label?: number } = { key: '' };
    const finish = () => {
      const { key, image, label } = current;
      if (image === undefined && label === undefined) return; // not part of a sample, such as a readme
      if (image === undefined || label === undefined)
        throw datasetError({
          file: `${path}: ${key}`,
          expected: image === undefined ? 'an image (.jpg, .jpeg or .png)' : 'a label (.cls or .json)',
          received: 'none',
          remedy:
            'The files of a sample lie side by side and differ only behind the first dot of their name.',
        });
      samples.push({ key, image, label });
    };
    for await (const entry of tarEntries(file, path)) {
      const dot = entry.name.indexOf('.', entry.name.lastIndexOf('/') + 1);
      const key = dot === -1 ? entry.name : entry.name.slice(0, dot);
      if (current.key !== key) {
        finish();
        current = { key };
      }
      if (isImage.test(entry.name)) current.image = entry;
      const extension = entry.name.slice(key.length);
      if (extension !== '.cls' && (extension !== '.json' || current.label !== undefined)) continue;
      const label = labelIn(Buffer.from(await read(entry.offset, entry.size)).toString('utf8'), extension);
      if (label !== undefined) current.label = label;
      else if (extension === '.cls')
        throw datasetError({
          file: `${path}: ${entry.name}`,
          expected: 'a whole number from 0 to 65535',
          received: 'something else',
          remedy: 'A .cls file holds the number of the class as text.',
        });
    }
    finish();
    if (samples.length === 0)
      throw datasetError({
        file: path,
        expected: 'images with labels (KEY.jpg with KEY.cls)',
        received: 'none',
        remedy: 'Delete the archive if it belongs to something else.',
      });
    return samples;
  } finally {
    await file.close();
  }
}

function labelIn(text: string, extension: string): number | undefined {
  let value: unknown;
  if (extension === '.cls') value = /^\s*\d+\s*$/.test(text) ? Number(text) : undefined;
  else {
    try {
      const fields: unknown = JSON.parse(text);
      if (typeof fields === 'object' && fields !== null)
        value = 'label' in fields ? fields.label : 'cls' in fields ? fields.cls : undefined;
    } catch {
      return undefined;
    }
  }
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffff
    ? value
    : undefined;
}

async function classNames(folder: string): Promise<readonly string[]> {
  const file = join(folder, 'classes.txt');
  if (!(await exists(file))) return Array.from({ length: usualClasses }, (_, label) => String(label));
  const names = Buffer.from(await readExisting(file))
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (names.length < 2 || new Set(names).size < names.length)
    throw datasetError({
      file,
      expected: 'two class names or more, one a line and each once,',
      received: names.length < 2 ? countOf(names.length, 'name') : 'one twice',
      remedy: 'The first line names label 0.',
    });
  return names;
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (error) {
    throw datasetError({
      file: path,
      expected: 'an archive that can be read',
      received: firstLine(error),
      remedy: 'Check the path and its permissions.',
    });
  }
}

/** A cache of open archives; the least recently used one is closed. */
class OpenFiles {
  readonly #files = new Map<string, Promise<FileHandle>>();

  async read(path: string, { offset, size }: Pick<TarEntry, 'offset' | 'size'>): Promise<Uint8Array> {
    const file = this.#files.get(path) ?? opened(path);
    this.#files.delete(path);
    this.#files.set(path, file);
    if (this.#files.size > mostOpen) {
      const [oldest] = this.#files;
      this.#files.delete(oldest![0]);
      // Closing waits for pending reads.
      void oldest![1].then((unused) => unused.close());
    }
    const bytes = new Uint8Array(size);
    const { bytesRead } = await (await file).read(bytes, 0, size, offset);
    if (bytesRead < size)
      throw datasetError({
        file: path,
        expected: countOf(offset + size, 'byte'),
        received: countOf(offset + bytesRead, 'byte'),
        remedy: `${basename(path)} was changed while it was read.`,
      });
    return bytes;
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map(async (file) => (await file).close()));
  }
}

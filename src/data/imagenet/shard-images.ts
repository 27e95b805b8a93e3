import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, type InputError } from '../../errors.js';
import { nameList } from '../../user-input/name-list.js';
import { countOf, datasetError, firstLine } from '../dataset-error.js';
import { imageExtensions } from '../image-format.js';
import { exists, readExisting } from '../read-file.js';
import type { EncodedImages } from './encoded-images.js';
import { reader, type TarEntry, tarEntries } from './tar-entries.js';

/** A sample of a shard: an image and its label. */
interface Sample {
  readonly key: string;
  readonly label: number;
  readonly image: TarEntry;
}

/** Extensions of images, the preferred one first: some sets keep a mask `KEY.png` beside the photograph `KEY.jpg`. */
const extensions = ['.jpg', '.jpeg', ...imageExtensions.filter((each) => !['.jpg', '.jpeg'].includes(each))];
/** The largest file of a label, in bytes; metadata of photographs stay far below it. */
const mostLabelBytes = 2 ** 22;
/** Number of archives whose headers are read concurrently. */
const together = 8;
/** Number of archives kept open; systems allow about a thousand files. */
const mostOpen = 64;
/** Number of classes if no file names them: ImageNet's. */
const usualClasses = 1000;

/**
 * The images of WebDataset archives: consecutive files with one key, `KEY.jpg` (or another extension of images) with
 * `KEY.cls`, the label as a number, or `KEY.json` with a field `label` or `cls`. The key ends at the first dot of the name,
 * so `KEY.seg.png` is another field of the sample, which is not read. Only headers and labels are read here; images are
 * read on demand. Class names are the lines of `classes.txt` beside the archives or in `dir`, else the indices of
 * ImageNet's 1,000 classes.
 *
 * @throws {InputError} for a truncated or invalid archive, and for samples without image or label.
 */
export async function shardImages(
  paths: readonly string[],
  { name, dir }: { readonly name: string; readonly dir: string },
): Promise<EncodedImages> {
  const contents: Shard[] = [];
  let next = 0;
  const work = async () => {
    while (next < paths.length) {
      const at = next++;
      contents[at] = await readShard(paths[at]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(together, paths.length) }, work));

  const named = await classNames([dirname(paths[0]!), dir]);
  const samples = contents.flatMap((shard) => shard.samples);
  const labels = Uint16Array.from(samples, ({ label }) => label);
  const range = rangeOf(labels);
  const { classes } = named;
  const shards: number[] = [];
  const shardOf = new Uint16Array(samples.length);
  let index = 0;
  for (const [at, shard] of contents.entries()) {
    shards.push(index);
    for (const { key, label } of shard.samples) {
      if (label >= classes.length)
        throw datasetError({
          file: `${paths[at]}: ${key}`,
          expected: `a label below ${classes.length}, the number of classes ${named.source},`,
          received: String(label),
          remedy:
            range.lowest > 0
              ? `Labels begin at 0: those of ${name} go from ${range.lowest} to ${range.highest}.`
              : named.file === null
                ? 'Put a file classes.txt beside the archives, with the name of one class a line.'
                : `Complete ${named.file}: its first line names label 0, and the labels of ${name} go up to ${range.highest}.`,
        });
      shardOf[index++] = at;
    }
  }
  const skipped = contents.flatMap((shard) => shard.skipped);
  const handles = new OpenFiles();
  return {
    name,
    classes,
    labels,
    shards,
    warnings: [
      ...(skipped.length === 0
        ? []
        : [
            `Skipped ${countOf(skipped.length, 'file')} in the archives of ${name} that belong to no sample: ${nameList(skipped, 3)}.`,
          ]),
      ...warningsOfLabels(range, { name, ...named }),
    ],
    keyOf: (index) => samples[index]!.key,
    nameOf: (index) => `${paths[shardOf[index]!]}: ${samples[index]!.image.name}`,
    read: async (index) => {
      const { offset, size } = samples[index]!.image;
      return handles.read(paths[shardOf[index]!]!, { offset, size });
    },
    close: () => handles.close(),
  };
}

/** The labels that occur. */
interface LabelRange {
  readonly lowest: number;
  readonly highest: number;
  readonly count: number;
}

function rangeOf(labels: Uint16Array): LabelRange {
  const seen = new Set(labels);
  let [lowest, highest] = [0xffff, 0];
  for (const label of seen) {
    lowest = Math.min(lowest, label);
    highest = Math.max(highest, label);
  }
  return { lowest, highest, count: seen.size };
}

/** Labels that can be read and are probably not what was meant. */
function warningsOfLabels(
  { lowest, highest, count }: LabelRange,
  { name, file, classes }: ClassNames & { readonly name: string },
): string[] {
  if (lowest === 1 && count === highest && (file === null || highest < classes.length - 1))
    return [
      `The labels of ${name} go from 1 to ${highest}, without 0: labels begin at 0, so if these count from 1, every image has the name of the next class.`,
    ];
  if (file === null && highest < usualClasses - 1)
    return [
      `No classes.txt names the classes of ${name}, so they are taken for ImageNet's ${usualClasses.toLocaleString('en-US')}, although its labels go from ${lowest} to ${highest}.`,
    ];
  return [];
}

interface Shard {
  readonly samples: readonly Sample[];
  /** Names of files that belong to no sample. */
  readonly skipped: readonly string[];
}

/** The files of one key, as far as they have been read. */
interface Current {
  readonly key: string;
  readonly names: string[];
  image?: { readonly entry: TarEntry; readonly rank: number };
  label?: number;
}

async function readShard(path: string): Promise<Shard> {
  const file = await opened(path);
  try {
    const read = reader(file);
    const samples: Sample[] = [];
    const skipped: string[] = [];
    let current: Current = { key: '', names: [] };
    const finish = () => {
      const { key, image, label, names } = current;
      if (image === undefined && label === undefined) {
        skipped.push(...names); // not part of a sample, such as a readme
        return;
      }
      if (image === undefined || label === undefined)
        throw datasetError({
          file: `${path}: ${key}`,
          expected:
            image === undefined
              ? `an image (${key}.jpg, or another of ${extensions.join(' ')})`
              : `a label (${key}.cls or ${key}.json)`,
          received: `only ${nameList(names)}`,
          remedy:
            'The files of a sample lie side by side and differ only behind the first dot of their name.',
        });
      samples.push({ key, image: image.entry, label });
    };
    for await (const entry of tarEntries(file, path)) {
      // Metadata that macOS stores beside every file.
      if (basename(entry.name).startsWith('._') || entry.name.startsWith('__MACOSX/')) {
        skipped.push(entry.name);
        continue;
      }
      const dot = entry.name.indexOf('.', entry.name.lastIndexOf('/') + 1);
      const key = dot === -1 ? entry.name : entry.name.slice(0, dot);
      if (current.key !== key) {
        finish();
        current = { key, names: [] };
      }
      current.names.push(entry.name);
      const extension = entry.name.slice(key.length).toLowerCase();
      const rank = extensions.indexOf(extension);
      if (rank !== -1 && rank < (current.image?.rank ?? extensions.length)) current.image = { entry, rank };
      if (extension !== '.cls' && (extension !== '.json' || current.label !== undefined)) continue;
      if (entry.size > mostLabelBytes) throw noLabel(`${path}: ${entry.name}`, countOf(entry.size, 'byte'));
      const text = Buffer.from(await read(entry.offset, entry.size)).toString('utf8');
      const label = labelIn(text, extension);
      if (label !== undefined) current.label = label;
      else if (extension === '.cls') throw noLabel(`${path}: ${entry.name}`, describe(text.slice(0, 40)));
    }
    finish();
    if (samples.length === 0)
      throw datasetError({
        file: path,
        expected: 'images with labels (KEY.jpg with KEY.cls)',
        received: 'none',
        remedy: 'Delete the archive if it belongs to something else.',
      });
    return { samples, skipped };
  } finally {
    await file.close();
  }
}

function noLabel(file: string, received: string): InputError {
  return datasetError({
    file,
    expected: 'a whole number from 0 to 65535',
    received,
    remedy: 'A .cls file holds the number of the class as text.',
  });
}

function labelIn(text: string, extension: string): number | undefined {
  if (extension === '.cls') return labelOf(text);
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  return labelOf('label' in fields ? fields.label : 'cls' in fields ? fields.cls : undefined);
}

/** A label as a number, or as digits in a text. */
function labelOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\s*\d{1,5}\s*$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 0xffff
    ? number
    : undefined;
}

interface ClassNames {
  readonly classes: readonly string[];
  /** The file that names them; null if there is none. */
  readonly file: string | null;
  /** Where they come from, in a sentence. */
  readonly source: string;
}

/** The class names in `classes.txt`, in the first of `folders` that has it. @throws {InputError} if two contradict each other */
async function classNames(folders: readonly string[]): Promise<ClassNames> {
  let found: ClassNames | null = null;
  for (const folder of new Set(folders)) {
    const file = join(folder, 'classes.txt');
    if (!(await exists(file))) continue;
    const classes = await namesIn(file);
    if (found !== null && found.classes.join('\n') !== classes.join('\n'))
      throw datasetError({
        file,
        expected: `the names of ${found.file}`,
        received: 'others',
        remedy: 'Keep one of the two.',
      });
    found ??= { classes, file, source: `in ${file}` };
  }
  return (
    found ?? {
      classes: Array.from({ length: usualClasses }, (_, label) => String(label)),
      file: null,
      source: 'of ImageNet',
    }
  );
}

async function namesIn(file: string): Promise<readonly string[]> {
  const names = Buffer.from(await readExisting(file))
    .toString('utf8')
    .replace(/^\ufeff/, '')
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

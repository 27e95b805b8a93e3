import { basename, join } from 'node:path';
import { consecutiveIds, type Dataset, labelArray } from './dataset.js';
import { countOf, datasetError, firstLine } from './dataset-error.js';
import { exists, readExisting, readMaybeGzipped } from './read-file.js';

/** The layout of CIFAR-10 or CIFAR-100 in the binary version; every image is 3 x 32 x 32 bytes, [C, H, W]. */
export interface CifarLayout {
  /** The published archive, and the folder inside it. */
  readonly archive: string;
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
  /** The file of class names, one a line, in label order. */
  readonly names: string;
  readonly classes: number;
  /** The file of class names in the version for Python, which is not read. */
  readonly pythonFile: string;
  /** Label bytes before each image; the last of them is the label (CIFAR-100: coarse, then fine). */
  readonly labelBytes: 1 | 2;
  /** Number of examples per file of each split, to detect a file truncated between two images. */
  readonly examplesPerFile: { readonly train: number; readonly test: number };
}

export const cifar10: CifarLayout = {
  archive: 'cifar-10-binary.tar.gz',
  folder: 'cifar-10-batches-bin',
  train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
  test: ['test_batch.bin'],
  names: 'batches.meta.txt',
  pythonFile: 'batches.meta',
  classes: 10,
  labelBytes: 1,
  examplesPerFile: { train: 10_000, test: 10_000 },
};

export const cifar100: CifarLayout = {
  archive: 'cifar-100-binary.tar.gz',
  folder: 'cifar-100-binary',
  train: ['train.bin'],
  test: ['test.bin'],
  names: 'fine_label_names.txt',
  pythonFile: 'meta',
  classes: 100,
  labelBytes: 2,
  examplesPerFile: { train: 50_000, test: 10_000 },
};

const pixelBytes = 3 * 32 * 32;
/** The largest archive, unpacked: the published ones are of 184 million bytes. */
const mostArchiveBytes = 2 ** 28;

export interface CifarFiles {
  readonly layout: CifarLayout;
  /** The folder that holds the files, the unpacked folder, or the archive. */
  readonly dir: string;
  readonly split: 'train' | 'test';
  /** Name of the data set: `cifar10:test`. */
  readonly name: string;
}

/** Locates the binary files: unpacked in `dir` or one folder below, or in the archive; else undefined. */
export async function findCifar(layout: CifarLayout, dir: string): Promise<string | undefined> {
  if (dir.endsWith('.tar.gz')) return (await exists(dir)) ? dir : undefined;
  const folders = [dir, join(dir, layout.folder)];
  for (const folder of folders) if (await exists(join(folder, layout.names))) return folder;
  const archive = join(dir, layout.archive);
  if (await exists(archive)) return archive;
  // Images without class names: the reader will report the missing file.
  for (const folder of folders) if (await exists(join(folder, layout.test[0]!))) return folder;
  return undefined;
}

/** What a folder has of the versions for Python and Matlab, which are not read; undefined if nothing. */
export async function otherCifarVersion(layout: CifarLayout, dir: string): Promise<string | undefined> {
  for (const [version, suffix] of [
    ['Python', 'py'],
    ['Python', 'python'],
    ['Matlab', 'mat'],
    ['Matlab', 'matlab'],
  ] as const) {
    const folder = layout.folder.replace(/bin(ary)?$/, suffix);
    const archive = layout.archive.replace('binary', suffix);
    const inside = version === 'Python' ? [layout.pythonFile] : ['data_batch_1.mat', 'train.mat'];
    for (const name of [folder, archive, ...inside])
      if (await exists(join(dir, name))) return `its version for ${version} (${name})`;
  }
  return undefined;
}

/**
 * Reads one split; an example's id is its index in the concatenated files.
 *
 * @throws {InputError} for files that are missing, truncated, or with labels out of range.
 */
export async function readCifar({ layout, dir, split, name }: CifarFiles): Promise<Dataset> {
  const place = await findCifar(layout, dir);
  if (place === undefined)
    throw datasetError({
      file: dir,
      expected: `${layout.test[0]} and the other files of ${layout.folder}, or ${layout.archive},`,
      received: 'a folder without them',
      remedy: `Put ${layout.archive} there as it was downloaded.`,
    });
  const read = place.endsWith('.tar.gz') ? await archiveReader(place) : folderReader(place);
  const classes = await readClassNames(layout, read);
  const perFile = layout.examplesPerFile[split];
  const count = layout[split].length * perFile;
  const images = new Uint8Array(count * pixelBytes);
  const labels = labelArray(count, layout.classes);
  const record = layout.labelBytes + pixelBytes;
  let example = 0;
  for (const fileName of layout[split]) {
    const { file, bytes } = await read(fileName);
    if (bytes.length !== perFile * record)
      throw datasetError({
        file,
        expected: `${countOf(perFile * record, 'byte')} (${countOf(perFile, 'example')} of ${record})`,
        received: countOf(bytes.length, 'byte'),
        remedy: 'Delete it and download or copy it again (the binary version of the set).',
      });
    for (let at = 0; at < bytes.length; at += record, example++) {
      const label = bytes[at + layout.labelBytes - 1]!;
      if (label >= layout.classes)
        throw datasetError({
          file,
          expected: `labels from 0 to ${layout.classes - 1}`,
          received: `label ${label} for image ${at / record}`,
          remedy: `Check that this is the binary version of ${layout.folder}.`,
        });
      labels[example] = label;
      images.set(bytes.subarray(at + layout.labelBytes, at + record), example * pixelBytes);
    }
  }
  return {
    name,
    classes,
    shape: [3, 32, 32],
    images,
    labels,
    ids: consecutiveIds(count),
    order: 'file',
    warnings: [],
  };
}

type FileReader = (name: string) => Promise<{ readonly file: string; readonly bytes: Uint8Array }>;

function folderReader(folder: string): FileReader {
  return async (name) => {
    const file = join(folder, name);
    return { file, bytes: await readExisting(file) };
  };
}

/** Files inside the archive, which is unpacked in memory so that no partial extraction can be left on disk. */
async function archiveReader(archive: string): Promise<FileReader> {
  const { unpackTar } = await import('modern-tar');
  const tar = await readMaybeGzipped(archive, () => mostArchiveBytes);
  const files = new Map<string, Uint8Array>();
  try {
    for (const { header, data } of await unpackTar(tar)) if (data) files.set(basename(header.name), data);
  } catch (error) {
    throw datasetError({
      file: archive,
      expected: 'a tar archive',
      received: `something else (${firstLine(error)})`,
      remedy: 'Delete it and download it again.',
    });
  }
  return async (name) => {
    const bytes = files.get(name);
    if (bytes === undefined)
      throw datasetError({
        file: archive,
        expected: `an archive with ${name} in it`,
        received: files.size === 0 ? 'an empty one' : `one with ${[...files.keys()].slice(0, 5).join(', ')}`,
        remedy: 'Take the binary version of the set, not the one for Python or Matlab.',
      });
    return { file: `${archive} (${name})`, bytes };
  };
}

async function readClassNames(layout: CifarLayout, read: FileReader): Promise<string[]> {
  const { file, bytes } = await read(layout.names);
  const text = new TextDecoder().decode(bytes);
  const names = text.split(/\r?\n/).filter((line) => line !== '');
  if (names.length === layout.classes) return names;
  throw datasetError({
    file,
    expected: `${layout.classes} class names, one a line,`,
    received: countOf(names.length, 'line'),
    remedy: 'Copy it from the archive again.',
  });
}

import { join } from 'node:path';
import { consecutiveIds, type Dataset, labelArray } from './dataset.js';
import { countOf, datasetError } from './dataset-error.js';
import { exists, readMaybeGzipped } from './read-file.js';

/**
 * idx, the format of MNIST and Fashion-MNIST: two zero bytes, the type of the values (0x08: bytes), the number of
 * dimensions, each dimension as a big-endian 32-bit integer, then the values.
 */
interface IdxArray {
  readonly dimensions: readonly number[];
  readonly values: Uint8Array;
}

export interface IdxFiles {
  /** The file of images, [N, H, W] of bytes, plain or gzip. */
  readonly images: string;
  /** The file of labels, [N] of bytes, plain or gzip. */
  readonly labels: string;
  /** Class names, in label order. */
  readonly classes: readonly string[];
  /** Name of the data set: `mnist:test`. */
  readonly name: string;
}

const again = 'Delete it and download or copy it again.';

/**
 * Reads images and labels; an example's id is its index in the file.
 *
 * @throws {InputError} for files that are missing, truncated, in another format, of different counts, or with labels out
 *   of range.
 */
export async function readIdx({ images, labels, classes, name }: IdxFiles): Promise<Dataset> {
  const [pixels, classOf] = await Promise.all([readIdxArray(images, 3), readIdxArray(labels, 1)]);
  const [count = 0, height = 0, width = 0] = pixels.dimensions;
  if (classOf.values.length !== count)
    throw datasetError({
      file: labels,
      expected: `${countOf(count, 'label')}, as many as ${images} has images,`,
      received: countOf(classOf.values.length, 'label'),
      remedy: 'Take both files from the same split of the same set.',
    });
  if (count * height * width === 0)
    throw datasetError({
      file: images,
      expected: 'at least one image with pixels',
      received: `${count} images of ${height}x${width}`,
      remedy: again,
    });
  const beyond = classOf.values.findIndex((label) => label >= classes.length);
  if (beyond !== -1)
    throw datasetError({
      file: labels,
      expected: `labels from 0 to ${classes.length - 1}`,
      received: `label ${classOf.values[beyond]} for image ${beyond}`,
      remedy: `${name} has ${classes.length} classes: check that these are its files.`,
    });
  const labelsOut = labelArray(count, classes.length);
  labelsOut.set(classOf.values);
  return {
    name,
    classes,
    shape: [1, height, width],
    images: pixels.values, // [N, H, W] is [N, 1, H, W]
    labels: labelsOut,
    ids: consecutiveIds(count),
    order: 'file',
    warnings: [],
  };
}

/** The paths of a split's files in `dir`, or where torchvision puts them below it, under any of their usual names; undefined if there are none. */
export async function findIdx(
  dir: string,
  split: 'train' | 'test',
): Promise<{ readonly images: string | undefined; readonly labels: string | undefined }> {
  const prefix = split === 'train' ? 'train' : 't10k';
  const find = async (kind: string): Promise<string | undefined> => {
    const names = [`${prefix}-${kind}-ubyte`, `${prefix}-${kind.replace('-', '.')}-ubyte`];
    for (const folder of ['.', 'raw', join('MNIST', 'raw'), join('FashionMNIST', 'raw')])
      for (const name of names.flatMap((plain) => [`${plain}.gz`, plain]))
        if (await exists(join(dir, folder, name))) return join(dir, folder, name);
    return undefined;
  };
  return { images: await find('images-idx3'), labels: await find('labels-idx1') };
}

/** The largest array that is read: 1 GiB, of which MNIST's relatives need half. */
const mostBytes = 2 ** 30;

async function readIdxArray(file: string, rank: number): Promise<IdxArray> {
  const bytes = await readMaybeGzipped(file, (start) => headerOf(file, start, rank).size);
  const { dimensions, header, size } = headerOf(file, bytes, rank);
  if (bytes.length !== size)
    throw datasetError({
      file,
      expected: `${countOf(size, 'byte')}, as its header says (${dimensions.join(' x ')}),`,
      received: `${countOf(bytes.length, 'byte')}${bytes.length < size ? ': it is cut short' : ''}`,
      remedy: again,
    });
  return { dimensions, values: bytes.subarray(header) };
}

/** The header of a file that begins with `start`: its dimensions, its length, and the length of the file. */
function headerOf(file: string, start: Uint8Array, rank: number) {
  const kind = rank === 3 ? 'idx images' : 'idx labels';
  const magic = start.subarray(0, 4);
  const wanted = [0, 0, 0x08, rank];
  if (magic.length < 4 || wanted.some((byte, i) => magic[i] !== byte)) {
    const other =
      magic[3] === 4 - rank && magic[2] === 0x08 ? ` (that is ${rank === 3 ? 'labels' : 'images'})` : '';
    throw datasetError({
      file,
      expected: `${kind}, which begin with the bytes ${hex(wanted)}`,
      received: start.length === 0 ? 'an empty file' : `${hex(magic)}${other}`,
      remedy: other === '' ? again : 'The two files may have been swapped.',
    });
  }
  const header = 4 + 4 * rank;
  if (start.length < header)
    throw datasetError({
      file,
      expected: `${kind} with a header of ${header} bytes`,
      received: `a file of ${countOf(start.length, 'byte')}`,
      remedy: again,
    });
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const dimensions = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = header + dimensions.reduce((product, length) => product * length, 1);
  if (size > mostBytes)
    throw datasetError({
      file,
      expected: `at most ${countOf(mostBytes, 'byte')}`,
      received: `a header that says ${dimensions.join(' x ')}`,
      remedy: again,
    });
  return { dimensions, header, size };
}

function hex(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

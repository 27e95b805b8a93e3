import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../errors.js';
import { brokenPickle, type PickleValue, readPickle } from './pickle.js';
import { byteWidth } from './safetensors.js';
import { isCount, Storage, StorageType, torchValue } from './torch-pickle.js';
import { type ZipRecord, zipPlace, zipRecords } from './zip.js';

/**
 * A file that `torch.save` wrote, in its two formats: since PyTorch 1.6 a zip archive with a pickle and a file for each
 * array; before, several pickles and then the arrays. No pickled code runs (pickle.ts), and arrays stay in the file until
 * they are asked for. Which of the values is the weights is not decided here.
 */
export class TorchFile {
  readonly path: string;
  /** What was saved. */
  readonly value: PickleValue;
  readonly #places: Content['places'];

  private constructor(path: string, { value, places }: Content) {
    this.path = path;
    this.value = value;
    this.#places = places;
  }

  /** @throws {InputError} for a file of another kind, one that is damaged, and a pickle that holds more than weights. */
  static open(path: string): TorchFile {
    return withFile(
      path,
      (file) => new TorchFile(path, isZip(file) ? readArchive(path, file) : readOld(path, file)),
    );
  }

  /**
   * Bytes of an array, counted from its own beginning.
   *
   * @throws {InputError} where the file does not have them.
   */
  read(storage: Storage, begin: number, end: number): Buffer {
    const { path } = this;
    const place = this.#places.get(storage.key);
    if (place === undefined) throw brokenPickle(path, `the array ${storage.key} is missing`);
    if (end > place.length)
      throw brokenPickle(path, `the array ${storage.key} has ${place.length} bytes, and ${end} are needed`);
    const part = { position: place.position + begin, length: end - begin };
    return withFile(path, (file) => readPart({ path, file, ...part }));
  }
}

function withFile<T>(path: string, body: (file: number) => T): T {
  const file = openSync(path, 'r');
  try {
    return body(file);
  } finally {
    closeSync(file);
  }
}

/** No list of weights is described by more. */
const longestPickle = 1 << 26;

interface Content {
  readonly value: PickleValue;
  readonly places: ReadonlyMap<string, { readonly position: number; readonly length: number }>;
}

function readArchive(path: string, file: number): Content {
  const records = zipRecords(path);
  const pickle = [...(records?.keys() ?? [])].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (records === null || pickle === undefined)
    throw brokenPickle(path, records === null ? 'the directory at its end is missing' : 'it has no data.pkl');
  const folder = pickle.slice(0, -'data.pkl'.length);
  const placeOf = (name: string, record: ZipRecord): number => {
    const position = record.plain ? zipPlace(file, record) : null;
    if (position === null)
      throw brokenPickle(path, record.plain ? `${name} is cut short` : `${name} is compressed`);
    return position;
  };
  const bytesOf = (name: string): Buffer | null => {
    const record = records.get(name);
    if (record === undefined) return null;
    if (record.size > longestPickle) throw brokenPickle(path, `${name} has ${record.size} bytes`);
    return readPart({ path, file, position: placeOf(name, record), length: record.size });
  };
  requireLittleEndian(path, bytesOf(`${folder}byteorder`)?.toString('latin1') !== 'big');
  const { value } = readPickle({ path, bytes: bytesOf(pickle)!, ...meaning(path) });
  const prefix = `${folder}data/`;
  const arrays = [...records].filter(([name]) => name.startsWith(prefix));
  return {
    value,
    places: new Map(
      arrays.map(([name, record]) => [
        name.slice(prefix.length),
        { position: placeOf(name, record), length: record.size },
      ]),
    ),
  };
}

/** A magic number, a version, the machine, the value, the arrays' keys: a pickle each. Then length and bytes of each array. */
function readOld(path: string, file: number): Content {
  const { size } = fstatSync(file);
  const bytes = readPart({ path, file, position: 0, length: Math.min(size, longestPickle) });
  if (bytes.toString('latin1', 257, 262) === 'ustar')
    throw InputError.expected(
      'weights that PyTorch 0.1.2 or newer saved',
      'the file',
      path,
      'It is in the tar format of before. In Python: torch.save(torch.load(path), path).',
    );
  const storages = new Map<string, Storage>();
  let at = 0;
  const next = (): PickleValue => {
    const { value, end } = readPickle({ path, bytes: bytes.subarray(at), ...meaning(path, storages) });
    at += end;
    return value;
  };
  if (next() !== magicNumber) throw brokenPickle(path, 'it does not begin as such a file does');
  const version = next();
  if (version !== 1001) throw brokenPickle(path, 'it is of an unknown version of the format');
  const machine = next();
  requireLittleEndian(path, !(machine instanceof Map) || machine.get('little_endian') !== false);
  const value = next();
  const keys = next();
  if (!Array.isArray(keys)) throw brokenPickle(path, 'it does not tell in which order its arrays stand');

  const places = new Map<string, { readonly position: number; readonly length: number }>();
  let position = at;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined) throw brokenPickle(path, 'it has an array that nothing names');
    const count = Number(readPart({ path, file, position, length: 8 }).readBigInt64LE());
    const length = count * byteWidth(storage.dtype);
    position += 8;
    if (count < 0 || position + length > size)
      throw brokenPickle(path, `the array ${storage.key} is cut short`);
    places.set(storage.key, { position, length });
    position += length;
  }
  return { value, places };
}

const magicNumber = 0x1950a86a20f9469cfc6cn;

/** What names and persistent ids stand for; the arrays that are met are noted. */
function meaning(path: string, storages = new Map<string, Storage>()) {
  return {
    named: (name: string): PickleValue =>
      torchValue(name, {
        refused: (which) => refusedName(path, which),
        broken: (what) => brokenPickle(path, what),
      }),
    persistent: (id: PickleValue): PickleValue => {
      const [word, type, key, , count, part] = Array.isArray(id) ? id : [];
      if (word !== 'storage' || !(type instanceof StorageType) || typeof key !== 'string' || !isCount(count))
        throw brokenPickle(path, 'its pickle names an array as PyTorch never did');
      // (key, first element, elements) of a part of an array
      const offset = Array.isArray(part) ? part[1] : 0;
      if (!isCount(offset)) throw brokenPickle(path, 'its pickle names an array as PyTorch never did');
      storages.set(key, new Storage(key, type.dtype, count));
      return new Storage(key, type.dtype, Array.isArray(part) && isCount(part[2]) ? part[2] : count, offset);
    },
  };
}

function refusedName(path: string, name: string): InputError {
  return new InputError(
    'pickle-refused',
    `Expected weights and nothing else in ${path}, but its pickle names ${printable(name)}. Satin reads tensors and runs no ` +
      "pickled code. In Python, where you trust the file: torch.save(model.state_dict(), 'weights.pt').",
  );
}

/** A name from a stranger's file, short and of one line. */
function printable(name: string): string {
  const shown = name.replaceAll(/[^\x20-\x7e]/g, '?');
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
}

function requireLittleEndian(path: string, isLittle: boolean): void {
  if (!isLittle)
    throw new InputError(
      'invalid-input',
      `Expected little-endian numbers in ${path}, but a big-endian machine wrote it. Load and save it on another machine.`,
    );
}

function isZip(file: number): boolean {
  const start = Buffer.alloc(4);
  readSync(file, start, 0, 4, 0);
  return start.toString('latin1') === 'PK\x03\x04';
}

interface Part {
  readonly path: string;
  readonly file: number;
  readonly position: number;
  readonly length: number;
}

/** One call of the system reads less than 2 GiB. */
function readPart({ path, file, position, length }: Part): Buffer {
  if (position + length > fstatSync(file).size) throw brokenPickle(path, 'it is cut short');
  const bytes = Buffer.from(new ArrayBuffer(length)); // its own memory, aligned for every element type
  for (let done = 0; done < length; ) {
    const count = readSync(file, bytes, done, Math.min(length - done, 2 ** 30), position + done);
    if (count === 0) throw brokenPickle(path, 'it is cut short');
    done += count;
  }
  return bytes;
}

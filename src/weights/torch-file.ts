import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../errors.js';
import { brokenPickle, type PickleValue, readPickle } from './pickle.js';
import { readPart } from './read-part.js';
import { byteWidth } from './safetensors.js';
import { isCount, Storage, StorageType, torchValue } from './torch-pickle.js';
import { type ZipRecord, zipDataOffset, zipRecords } from './zip.js';

/**
 * A file written by `torch.save`, in either format: since PyTorch 1.6 a zip archive with a pickle and one file per
 * array; before that, several pickles followed by the arrays. No pickled code is executed (see pickle.ts), and arrays
 * are read lazily. Which of the values are the weights is up to the caller.
 */
export class TorchFile {
  readonly path: string;
  /** The saved object. */
  readonly value: PickleValue;
  readonly #locations: Content['locations'];

  private constructor(path: string, { value, locations }: Content) {
    this.path = path;
    this.value = value;
    this.#locations = locations;
  }

  /** @throws {InputError} for a file of another kind, a damaged file, or a pickle that contains more than weights. */
  static open(path: string): TorchFile {
    return withFile(
      path,
      (file) => new TorchFile(path, isZip(file) ? readArchive(path, file) : readLegacy(path, file)),
    );
  }

  /**
   * Reads bytes `begin` to `end` of an array.
   *
   * @throws {InputError} if the file does not contain them.
   */
  read(storage: Storage, begin: number, end: number): Buffer {
    const { path } = this;
    const location = this.#locations.get(storage.key);
    if (location === undefined) throw brokenPickle(path, `the array ${storage.key} is missing`);
    if (end > location.length)
      throw brokenPickle(
        path,
        `the array ${storage.key} has ${location.length} bytes where ${end} are needed`,
      );
    const part = { position: location.position + begin, length: end - begin };
    return withFile(path, (file) => partOf({ path, file, ...part }));
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

/** Larger pickles are rejected. */
const maxPickleLength = 1 << 26;

interface Content {
  readonly value: PickleValue;
  readonly locations: ReadonlyMap<string, { readonly position: number; readonly length: number }>;
}

function readArchive(path: string, file: number): Content {
  const records = zipRecords(path);
  const pickle = [...(records?.keys() ?? [])].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (records === null || pickle === undefined)
    throw brokenPickle(path, records === null ? 'it has no valid zip directory' : 'it has no data.pkl');
  const folder = pickle.slice(0, -'data.pkl'.length);
  const offsetOf = (name: string, record: ZipRecord): number => {
    const position = record.isStored ? zipDataOffset(file, record) : null;
    if (position === null)
      throw brokenPickle(path, record.isStored ? `${name} is truncated` : `${name} is compressed`);
    return position;
  };
  const bytesOf = (name: string): Buffer | null => {
    const record = records.get(name);
    if (record === undefined) return null;
    if (record.size > maxPickleLength) throw brokenPickle(path, `${name} has ${record.size} bytes`);
    return partOf({ path, file, position: offsetOf(name, record), length: record.size });
  };
  requireLittleEndian(path, bytesOf(`${folder}byteorder`)?.toString('latin1') !== 'big');
  const { value } = readPickle({ path, bytes: bytesOf(pickle)!, ...resolvers(path) });
  const prefix = `${folder}data/`;
  const arrays = [...records].filter(([name]) => name.startsWith(prefix));
  return {
    value,
    locations: new Map(
      arrays.map(([name, record]) => [
        name.slice(prefix.length),
        { position: offsetOf(name, record), length: record.size },
      ]),
    ),
  };
}

/**
 * Pickles of a magic number, a version, the machine, the object and the array keys; then length and data of each array.
 */
function readLegacy(path: string, file: number): Content {
  const { size } = fstatSync(file);
  const bytes = partOf({ path, file, position: 0, length: Math.min(size, maxPickleLength) });
  if (bytes.toString('latin1', 257, 262) === 'ustar')
    throw InputError.expected(
      'weights saved by PyTorch 0.1.2 or newer',
      'the file',
      path,
      'It is in the older tar format. In Python: torch.save(torch.load(path), path).',
    );
  const storages = new Map<string, Storage>();
  let offset = 0;
  const next = (): PickleValue => {
    const { value, end } = readPickle({ path, bytes: bytes.subarray(offset), ...resolvers(path, storages) });
    offset += end;
    return value;
  };
  if (next() !== magicNumber) throw brokenPickle(path, 'it does not start with the magic number of PyTorch');
  const version = next();
  if (version !== 1001) throw brokenPickle(path, 'it has an unknown format version');
  const machine = next();
  requireLittleEndian(path, !(machine instanceof Map) || machine.get('little_endian') !== false);
  const value = next();
  const keys = next();
  if (!Array.isArray(keys)) throw brokenPickle(path, 'it has no list of array keys');

  const locations = new Map<string, { readonly position: number; readonly length: number }>();
  let position = offset;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined) throw brokenPickle(path, 'it has an array that no tensor uses');
    const count = Number(partOf({ path, file, position, length: 8 }).readBigInt64LE());
    const length = count * byteWidth(storage.dtype);
    position += 8;
    if (count < 0 || position + length > size)
      throw brokenPickle(path, `the array ${storage.key} is truncated`);
    locations.set(storage.key, { position, length });
    position += length;
  }
  return { value, locations };
}

const magicNumber = 0x1950a86a20f9469cfc6cn;

/** Resolves names and persistent ids; records the arrays it encounters in `storages`. */
function resolvers(path: string, storages = new Map<string, Storage>()) {
  return {
    findClass: (name: string): PickleValue =>
      torchValue(name, {
        forbidden: (which) => forbiddenName(path, which),
        broken: (what) => brokenPickle(path, what),
      }),
    persistentLoad: (id: PickleValue): PickleValue => {
      const [word, type, key, , count, part] = Array.isArray(id) ? id : [];
      if (word !== 'storage' || !(type instanceof StorageType) || typeof key !== 'string' || !isCount(count))
        throw brokenPickle(path, 'its pickle has an invalid array reference');
      // (key, offset, count) of a view of another array
      const offset = Array.isArray(part) ? part[1] : 0;
      if (!isCount(offset)) throw brokenPickle(path, 'its pickle has an invalid array reference');
      storages.set(key, new Storage(key, type.dtype, count));
      return new Storage(key, type.dtype, Array.isArray(part) && isCount(part[2]) ? part[2] : count, offset);
    },
  };
}

function forbiddenName(path: string, name: string): InputError {
  return new InputError(
    'pickle-refused',
    `Expected only weights in ${path} but its pickle references ${printable(name)}. Satin reads tensors and executes no ` +
      "pickled code. In Python, if you trust the file: torch.save(model.state_dict(), 'weights.pt').",
  );
}

/** Shortens a name from an untrusted file and replaces its control characters. */
function printable(name: string): string {
  const shown = name.replaceAll(/[^\x20-\x7e]/g, '?');
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
}

function requireLittleEndian(path: string, isLittle: boolean): void {
  if (!isLittle)
    throw new InputError(
      'invalid-input',
      `Expected little-endian numbers in ${path} but it was written on a big-endian machine. Load and save it on a little-endian one.`,
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

function partOf({ path, file, position, length }: Part): Buffer {
  const bytes = position + length > fstatSync(file).size ? null : readPart(file, position, length);
  if (bytes === null) throw brokenPickle(path, 'it is truncated');
  return bytes;
}

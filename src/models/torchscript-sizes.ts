import { InputError } from '../errors.js';
import { type ZipRecord, zipContent, zipRecords } from '../weights/zip.js';
import { deepestNesting } from './torchscript-nesting.js';

interface Limit {
  /** Of which records of the archive, in words. */
  readonly what: string;
  readonly applies: (name: string, record: ZipRecord) => boolean;
  /** MiB that they may have together once they are unpacked. */
  readonly most: number;
}

/**
 * What a TorchScript archive may hold beside its arrays. libtorch reads all of it into memory and compiles the code: 4 MiB
 * took it half a minute and 1 GiB, 15 MiB more than five minutes and 3 GiB. One of the networks with most operators,
 * NASNet-A Large, traced by PyTorch 2.13, has 0.8 MiB of code, 0.2 MiB of pickles and 2.6 MiB of debug records; a packed
 * record unpacks to as much as a thousand times its size. Arrays are stored as they are, so that the file bounds them.
 */
const limits: readonly Limit[] = [
  { what: 'code', applies: (name) => name.endsWith('.py'), most: 4 },
  { what: 'pickles', applies: (name) => name.endsWith('.pkl'), most: 16 },
  { what: 'debug records', applies: (name) => name.endsWith('.debug_pkl'), most: 16 },
  {
    what: 'other records that are packed or of a false size',
    applies: (name, { isStored, size, unpacked }) =>
      !/\.(py|pkl|debug_pkl)$/.test(name) && !(isStored && size === unpacked),
    most: 16,
  },
];

const mebibyte = 2 ** 20;

/** Forty times the 23 of a traced swinv2_small of timm; libtorch parsed 950, and ended the process at 200,000 brackets. */
const deepest = 1000;

/**
 * Checks the sizes that the directory of a TorchScript archive states, before any record is read, and then how deep its code
 * is nested.
 *
 * @throws {InputError} if it has no valid directory, or its code or other records are larger than those of any network, or
 *   deeper.
 */
export function requireModestArchive(path: string): void {
  const records = zipRecords(path);
  if (records === null)
    throw new InputError(
      'broken-file',
      `Expected an undamaged TorchScript file in ${path} but it has no valid zip directory.`,
    );
  for (const { what, applies, most } of limits) {
    const found = [...records].filter(([name, record]) => applies(name, record));
    const sizes = found.map(([name, { size, unpacked }]) => ({ name, bytes: Math.max(size, unpacked) }));
    const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total <= most * mebibyte) continue;
    const largest = sizes.reduce((one, other) => (other.bytes > one.bytes ? other : one));
    throw InputError.expected(
      `at most ${most} MiB of ${what}, several times what networks have,`,
      path,
      `${(total / mebibyte).toFixed(1)} MiB, most of it in ${largest.name}`,
      saveAgain,
    );
  }
  for (const [name, record] of records) if (name.endsWith('.py')) requireShallow(path, name, record);
}

const saveAgain = "Save the network again: torch.jit.trace(model.eval(), images).save('model.pt').";

function requireShallow(path: string, name: string, record: ZipRecord): void {
  const code = zipContent(path, record);
  if (code === null)
    throw new InputError(
      'broken-file',
      `Expected an undamaged TorchScript file in ${path} but its record ${name} cannot be read.`,
    );
  const depth = deepestNesting(code.toString('latin1'));
  if (depth > deepest)
    throw InputError.expected(
      `code that is nested at most ${deepest} deep, far more than that of networks,`,
      path,
      `${depth} in ${name}`,
      saveAgain,
    );
}

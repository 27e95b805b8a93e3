import { describe, InputError, SatinError } from '../errors.js';

/** What the codes of the operating system mean for a file. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EBUSY: 'it is in use',
  EDQUOT: 'the disk quota is exhausted',
  EEXIST: 'it exists already',
  EFBIG: 'it would be larger than is allowed',
  EIO: 'the disk reports an error',
  EISDIR: 'it is a folder',
  ELOOP: 'it is a ring of symbolic links',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
  ENFILE: 'too many files are open',
  ENODEV: 'its device is gone',
  ENOENT: 'it, or a folder of its path, does not exist',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is no folder',
  ENOTEMPTY: 'the folder is not empty',
  ENXIO: 'its device is gone',
  EPERM: 'the operation is not permitted',
  EROFS: 'its file system is read-only',
  ESTALE: 'the network file system lost it',
  ETXTBSY: 'it is in use',
};

const diskFullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Turns an error of the operating system on writing a file into an InputError (`disk-full`, `cannot-write`); any other
 * error is returned unchanged.
 */
export function explainWriteError(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  if (diskFullCodes.has(code))
    return new InputError(
      'disk-full',
      `Expected room for ${path} but ${reasons[code]}. Data written before is intact: free some space, then continue with \`resume\`.`,
      { cause: error },
    );
  return new InputError('cannot-write', `Expected to write ${path} but ${reasons[code]}.`, { cause: error });
}

/** The same where nobody else explained it, on reading or writing; the error may name its file. */
export function explainSystemError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined || !(error instanceof Error) || !('syscall' in error)) return error;
  const file = 'path' in error && typeof error.path === 'string' ? describe(error.path) : 'a file';
  return new InputError('file-system', `Expected access to ${file} but ${reasons[code]}.`, { cause: error });
}

/** A code that is known above. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof SatinError || !('code' in error)) return undefined;
  return typeof error.code === 'string' && Object.hasOwn(reasons, error.code) ? error.code : undefined;
}

import { statSync } from 'node:fs';
import { InputError } from '../errors.js';

/** @throws {InputError} where there is no such file. Whether it is an image is seen when it is decoded. */
export function requireImageFile(file: string): void {
  const kind = statSync(file, { throwIfNoEntry: false });
  if (kind?.isFile() !== true)
    throw InputError.expected(
      'the path of an image file',
      'the image',
      file,
      kind === undefined ? 'There is no such file.' : 'That is no file.',
    );
}

import { InputError } from '../../errors.js';

/** @throws {InputError} for a batch of more images than training draws from. */
export function requireWholeBatch(images: number, batch: number): void {
  if (images < batch)
    throw InputError.expected(`a batch of at most ${images}, the training images,`, 'training.batch', batch);
}

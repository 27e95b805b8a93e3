import type { ModelFile } from '../app/model/read-model-file.js';
import { InputError } from '../errors.js';

/** The shape of the images that a model takes: channels (1 or 3), height and width. */
export type InputShape = readonly [channels: 1 | 3, height: number, width: number];

/** @throws {InputError} for a TorchScript file whose shape is not stated, and for a model of neither grey nor colour images. */
export function inputShape(file: ModelFile): InputShape {
  const shape =
    file.kind === 'satin'
      ? file.checkpoint.model.shape
      : file.kind === 'weights'
        ? file.description.shape
        : file.form.shape;
  if (shape === null)
    throw InputError.expected(
      'channels (1 or 3), height and width, such as 3x224x224,',
      '--shape',
      undefined,
      'A TorchScript file does not contain its input shape.',
    );
  const [channels, height, width] = shape;
  if (channels === 1 || channels === 3) return [channels, height, width];
  throw InputError.expected('a model for grey (1) or colour (3) images', 'the model', channels);
}

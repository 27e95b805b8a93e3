import { InputError } from '../../errors.js';
import type { Classifier } from '../../nn/classifier.js';
import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import { toTensor, type WeightArray } from '../../weights/module-weights.js';
import { readWeightsFile } from '../../weights/weights-file.js';

/** Images, pixels in [0, 1], [N, C, H, W], and what another program's network answers, [N, classes]. */
export interface ExpectedLogits {
  readonly path: string;
  readonly images: WeightArray;
  readonly logits: WeightArray;
}

/** Largest difference allowed, relative to the largest logit: rounding in deep networks is below a tenth of it. */
const tolerance = 1e-3;

/**
 * Reads `images` and `logits` from a file of torch.save or safetensors. Does not load the engine.
 *
 * @throws {InputError} if one of them is missing, or of another form.
 */
export function readExpectedLogits(path: string): ExpectedLogits {
  const { arrays } = readWeightsFile(path);
  const part = (name: string, axes: number): WeightArray => {
    const found = arrays.find((array) => array.name === name);
    if (
      found === undefined ||
      !/^(F|BF)/.test(found.dtype) ||
      found.shape.length !== axes ||
      found.shape.includes(0)
    )
      throw InputError.expected(
        `a file with images [N, C, H, W] and logits [N, classes] as floating-point numbers`,
        '`expect`',
        path,
        "In Python: torch.save({'images': images, 'logits': logits}, 'expected.pt').",
      );
    return found;
  };
  const [images, logits] = [part('images', 4), part('logits', 2)];
  if (images.shape[0] !== logits.shape[0])
    throw InputError.expected(
      `${images.shape[0]} rows of logits, one per image,`,
      '`expect`',
      logits.shape[0],
    );
  return { path, images, logits };
}

/**
 * Compares a model with what another program's network answers.
 *
 * @returns the largest difference of a logit, relative to the largest logit.
 * @throws {InputError} if it is above 1e-3, or the shapes differ.
 */
export function requireExpectedLogits(
  {
    name,
    classify,
    device,
  }: { readonly name: string; readonly classify: Classifier; readonly device: string },
  { path, images, logits }: ExpectedLogits,
): number {
  return scope(() => {
    const read = (array: WeightArray) => toTensor({ ...array, bytes: array.read() });
    const found = noGrad(() => classify(read(images).to('float32').toDevice(device)));
    if (found.shape.join() !== logits.shape.join())
      throw InputError.expected(
        `logits of shape [${logits.shape.join(', ')}], as in ${path},`,
        name,
        `[${found.shape.join(', ')}]`,
      );
    const [own, theirs] = [found.to('float64').numbers(), read(logits).to('float64').numbers()];
    const classes = logits.shape[1]!;
    let [largest, difference, at] = [0, 0, 0];
    for (const [index, value] of own.entries()) {
      const off = Math.abs(value - theirs[index]!);
      largest = Math.max(largest, Math.abs(theirs[index]!));
      if (off > difference || Number.isNaN(off)) [difference, at] = [off, index];
    }
    const relative = difference === 0 ? 0 : difference / largest;
    if (relative <= tolerance) return relative;
    throw new InputError(
      'logits-differ',
      `Expected the logits in ${path} from ${name} but for image ${Math.floor(at / classes)} the logit of class ${at % classes} is ${own[at]!.toPrecision(5)} instead of ${theirs[at]!.toPrecision(5)}: it is another network. Compare architecture, activation, padding, ε of batch norm and normalisation (images are pixels in [0, 1]), or trace the network in Python.`,
    );
  });
}

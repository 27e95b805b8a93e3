import { engineInfo } from '../engine/engine-info.js';
import { native } from '../engine/native.js';
import { DisposedError, InputError } from '../errors.js';
import { Tensor } from './tensor.js';

/**
 * A network saved by PyTorch as TorchScript, in evaluation mode. Its own tensors get no gradients; its input does. A
 * TorchScript file is a program: load only files you trust.
 */
export class TorchScript implements Disposable {
  #number: number | null;

  private constructor(
    readonly path: string,
    number: number,
  ) {
    this.#number = number;
  }

  /**
   * Loads a file written by `torch.jit.save`.
   *
   * @throws {InputError} if this libtorch cannot read it, or its `forward` does not take exactly one tensor.
   */
  static load(path: string, device = 'cpu'): TorchScript {
    let number: number;
    try {
      number = native().loadScript(path, device);
    } catch (error) {
      throw error instanceof InputError ? unreadable(path, error.message) : error;
    }
    const script = new TorchScript(path, number);
    const inputs = native().scriptInputs(number);
    if (inputs === 1) return script;
    script.dispose();
    throw InputError.expected('a network whose forward takes one tensor, the images,', path, inputs);
  }

  /**
   * Runs its `forward`, with the graph recorded.
   *
   * @throws {InputError} if it throws, or does not return a tensor.
   */
  forward(x: Tensor): Tensor {
    if (this.#number === null)
      throw new DisposedError(`Expected a loaded script but ${this.path} is already disposed of.`);
    const { handle } = x;
    try {
      return new Tensor(native().runScript(this.#number, handle));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(
        'script-failed',
        `Expected ${this.path} to run on images of shape [${x.shape.join(', ')}] but ${withoutStop(error.message)}.`,
        { cause: error },
      );
    }
  }

  /** Frees the memory immediately. Idempotent. */
  dispose(): void {
    if (this.#number !== null) native().releaseScript(this.#number);
    this.#number = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Classifies the error by libtorch's message: a damaged file, or one for another libtorch version. */
function unreadable(path: string, reason: string): InputError {
  const { libtorch } = engineInfo();
  const message = withoutStop(reason);
  if (/PytorchStreamReader|zip archive|invalid header|corrupted/i.test(message))
    return new InputError('broken-file', `Expected an undamaged TorchScript file in ${path} but ${message}.`);
  return new InputError(
    'script-unreadable',
    `Expected a TorchScript file that libtorch ${libtorch} can read but it cannot read ${path}: ${message}. Use the libtorch of the PyTorch version that saved it: set LIBTORCH to its folder (python -c "import torch; print(torch.__path__[0])") and run npm run setup.`,
  );
}

const withoutStop = (sentence: string) => sentence.replace(/[.:\s]+$/, '');

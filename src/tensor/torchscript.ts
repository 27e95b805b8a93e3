import { engineInfo } from '../engine/engine-info.js';
import { native } from '../engine/native.js';
import { DisposedError, InputError } from '../errors.js';
import { Tensor } from './tensor.js';

/**
 * A network that PyTorch saved as TorchScript, in evaluation mode. None of its own tensors gets a gradient; what it is
 * given does. It is a program: load only what you trust.
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
   * Loads a file that `torch.jit.save` wrote.
   *
   * @throws {InputError} where this libtorch cannot read it, or where its `forward` takes more than one tensor.
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
   * What its `forward` answers, with its history.
   *
   * @throws {InputError} where it throws, or answers no tensor.
   */
  forward(x: Tensor): Tensor {
    if (this.#number === null)
      throw new DisposedError(`Expected a loaded script but ${this.path} was disposed of.`);
    const { handle } = x;
    try {
      return new Tensor(native().runScript(this.#number, handle));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(
        'script-failed',
        `Expected ${this.path} to answer for images of shape [${x.shape.join(', ')}], but ${withoutStop(error.message)}.`,
        { cause: error },
      );
    }
  }

  /** Frees it now. Doing so twice is harmless. */
  dispose(): void {
    if (this.#number !== null) native().releaseScript(this.#number);
    this.#number = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Which of the three it is, as far as libtorch's reason tells: damaged, made for another libtorch, or something else. */
function unreadable(path: string, reason: string): InputError {
  const { libtorch } = engineInfo();
  const said = withoutStop(reason);
  if (/PytorchStreamReader|zip archive|invalid header|corrupted/i.test(said))
    return new InputError('broken-file', `Expected an undamaged TorchScript file in ${path}, but ${said}.`);
  return new InputError(
    'script-unreadable',
    `Expected a TorchScript file that libtorch ${libtorch} can read but ${path} is none: ${said}. The libtorch inside the PyTorch that saved it reads it: set LIBTORCH to that folder (python -c "import torch; print(torch.__path__[0])") and run npm run setup.`,
  );
}

const withoutStop = (sentence: string) => sentence.replace(/[.:\s]+$/, '');

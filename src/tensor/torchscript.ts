import { engineInfo } from '../engine/engine-info.js';
import { native } from '../engine/native.js';
import { DisposedError, InputError } from '../errors.js';
import { Tensor } from './tensor.js';

/**
 * A network saved by PyTorch as TorchScript, in evaluation mode. Its own tensors get no gradients; its input does. A
 * TorchScript file is a program: a file with an operator that does more than compute (reads or writes files, prints,
 * sleeps, calls out) is refused before any of it runs. It may still compute for ever or use up the memory.
 */
export class TorchScript implements Disposable {
  #number: number | null;

  private constructor(
    readonly path: string,
    number: number,
    readonly device: string,
  ) {
    this.#number = number;
  }

  /**
   * Loads a file written by `torch.jit.save`.
   *
   * @throws {InputError} if this libtorch cannot read it, it does more than compute, or its `forward` does not take
   *   exactly one tensor.
   */
  static load(path: string, device = 'cpu'): TorchScript {
    let number: number;
    try {
      number = native().loadScript(path, device);
    } catch (error) {
      throw error instanceof InputError ? unreadable(path, error.message) : error;
    }
    const script = new TorchScript(path, number, device);
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
      throw failed(this, x.shape, error);
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

/** Names the cause where libtorch's message is known: another device, or a size of the batch in the trace. */
function failed({ path, device }: TorchScript, shape: readonly number[], cause: InputError): InputError {
  const images = `images of shape [${shape.join(', ')}]`;
  const reason = withoutStop(cause.message);
  if (device === 'cpu' && /\bCUDA\b|\bcuda(:\d+)?\b/i.test(reason))
    return new InputError(
      'script-failed',
      `Expected a network for the CPU but ${path} was traced on cuda: trace it on the CPU, or give \`device\` cuda.`,
      { cause },
    );
  const baked =
    /shape '\[(\d+)(?:, -?\d+)*\]' is invalid for input of size|The expanded size of the tensor \((\d+)\)/.exec(
      reason,
    );
  const size = Number(baked?.[1] ?? baked?.[2]);
  if (size > 0 && size !== shape[0])
    return new InputError(
      'script-failed',
      `Expected ${path} to run on ${images} but its trace has a size of ${size} in it, which may be that of its batch (${reason}): trace it so that it takes any batch (x.flatten(1) or x.reshape(x.shape[0], ...) in place of fixed sizes), since checks and attacks use batches of several sizes.`,
      { cause },
    );
  return new InputError('script-failed', `Expected ${path} to run on ${images} but ${reason}.`, { cause });
}

/** Classifies the error by libtorch's message: a program that does more than compute, a damaged file, or one for another libtorch version. */
function unreadable(path: string, reason: string): InputError {
  const { libtorch } = engineInfo();
  const message = withoutStop(reason);
  if (message.endsWith('which does more than compute'))
    return new InputError(
      'script-refused',
      `Expected a TorchScript file that only computes but in ${path} ${message}. Save the network without it, from Python: torch.jit.trace(model.eval(), images).save('model.pt').`,
    );
  if (/mkldnn/i.test(message))
    return new InputError(
      'script-unreadable',
      `Expected a TorchScript file that PyTorch can read but ${path} was written after torch.jit.optimize_for_inference, and PyTorch cannot read it either. Save the network before that call: torch.jit.trace(model.eval(), images).save('model.pt').`,
    );
  if (/PytorchStreamReader|zip archive|invalid header|corrupted/i.test(message))
    return new InputError('broken-file', `Expected an undamaged TorchScript file in ${path} but ${message}.`);
  return new InputError(
    'script-unreadable',
    `Expected a TorchScript file that libtorch ${libtorch} can read but it cannot read ${path}: ${message}. Use the libtorch of the PyTorch version that saved it: set LIBTORCH to its folder (python -c "import torch; print(torch.__path__[0])") and run npm run setup.`,
  );
}

const withoutStop = (sentence: string) => sentence.replace(/[.:\s]+$/, '');

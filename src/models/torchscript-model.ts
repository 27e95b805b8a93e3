import { fileDigest } from '../files/digest.js';
import type { Classifier } from '../nn/classifier.js';
import { scope } from '../tensor/scope.js';
import { TorchScript } from '../tensor/torchscript.js';
import { type Preprocessing, PreprocessingLayer } from './preprocessing.js';
import { requireWholePickles } from './torchscript-archive.js';

/** A TorchScript network with its preprocessing. */
export class TorchScriptModel implements Disposable {
  /** `sha256:` digest of the file. */
  readonly digest: string;
  readonly #script: TorchScript;
  readonly #input: PreprocessingLayer;

  /** @throws {InputError} if the file cannot be read, or `input` is invalid. */
  constructor(
    path: string,
    input: Preprocessing,
    readonly device = 'cpu',
  ) {
    this.digest = fileDigest(path);
    requireWholePickles(path);
    this.#input = new PreprocessingLayer(input, device);
    this.#script = TorchScript.load(path, device);
  }

  /** Logits [N, classes] of pixels in [0, 1], [N, C, H, W]. */
  readonly classify: Classifier = (x) => scope(() => this.#script.forward(this.#input.forward(x)));

  dispose(): void {
    this.#script.dispose();
    this.#input.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

import { fileDigest } from '../files/digest.js';
import type { Classifier } from '../nn/classifier.js';
import { scope } from '../tensor/scope.js';
import { TorchScript } from '../tensor/torchscript.js';
import { type Preprocessing, PreprocessingLayer } from './preprocessing.js';

/** A network that PyTorch saved as TorchScript, behind the layer that brings pixels into the form it wants. */
export class TorchScriptModel implements Disposable {
  /** `sha256:` of its file. */
  readonly digest: string;
  readonly #script: TorchScript;
  readonly #input: PreprocessingLayer;

  /** @throws {InputError} where the file cannot be read, or `input` is none. */
  constructor(path: string, input: Preprocessing) {
    this.digest = fileDigest(path);
    this.#input = new PreprocessingLayer(input);
    this.#script = TorchScript.load(path);
  }

  /** What the network answers to pixels in [0, 1], [N, C, H, W]. */
  readonly classify: Classifier = (x) => scope(() => this.#script.forward(this.#input.forward(x)));

  dispose(): void {
    this.#script.dispose();
    this.#input.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

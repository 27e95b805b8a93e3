import { fileDigest } from '../files/digest.js';
import type { Classifier } from '../nn/classifier.js';
import { scope } from '../tensor/scope.js';
import { Script } from '../tensor/torchscript.js';
import { type InputForm, InputLayer } from './preprocessing.js';

/** A network that PyTorch saved as TorchScript, behind the layer that brings pixels into the form it wants. */
export class ScriptModel implements Disposable {
  /** `sha256:` of its file. */
  readonly digest: string;
  readonly #script: Script;
  readonly #input: InputLayer;

  /** @throws {InputError} where the file cannot be read, or `input` is none. */
  constructor(path: string, input: InputForm) {
    this.digest = fileDigest(path);
    this.#input = new InputLayer(input);
    this.#script = Script.load(path);
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

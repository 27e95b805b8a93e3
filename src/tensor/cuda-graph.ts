import { native } from '../engine/native.js';
import { keep, scope } from './scope.js';
import type { Tensor } from './tensor.js';

/**
 * The operators of a function, recorded on a card and launched again as a whole: many small kernels then cost one launch.
 * What it reads are the tensors that it read when it was recorded, with the values of the time of the replay; numbers from
 * JavaScript keep the value that they had.
 */
export class CudaGraph implements Disposable {
  #graph: number | null;

  private constructor(
    graph: number,
    /** What the function returned; each replay overwrites its elements. */
    readonly output: Tensor,
  ) {
    this.#graph = graph;
  }

  /**
   * Records `body`, after running it twice so that libraries are initialised and kernels compiled.
   *
   * @throws {EngineError} if `body` does what cannot be recorded: reading elements, or uploading some.
   */
  static record(device: string, body: () => Tensor): CudaGraph {
    native().prepareRecording(device);
    let output: Tensor | undefined;
    try {
      for (let warmup = 0; warmup < 2; warmup++) scope(body).dispose();
      native().beginRecording();
      output = keep(scope(body));
      return new CudaGraph(native().endRecording(), output);
    } catch (error) {
      output?.dispose();
      native().abandonRecording();
      throw error;
    }
  }

  /** Launches the operators; the result is in `output`. */
  replay(): void {
    if (this.#graph !== null) native().replayGraph(this.#graph);
  }

  [Symbol.dispose](): void {
    if (this.#graph !== null) native().releaseGraph(this.#graph);
    this.#graph = null;
    this.output.dispose();
  }
}

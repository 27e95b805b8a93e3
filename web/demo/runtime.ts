import asyncifyUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import wasmUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { Place } from './protocol.js';

/** What ONNX Runtime runs a network with, in either of its builds. */
export interface Runtime {
  readonly Tensor: typeof Tensor;
  open(network: ArrayBuffer): Promise<InferenceSession>;
}

/**
 * ONNX Runtime for a place. The build with WebGPU is twice as large, so that it is loaded where somebody chooses the graphics
 * card, and not before.
 */
export async function loadRuntime(place: Place): Promise<Runtime> {
  const ort = await (place === 'gpu' ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm'));
  const url = place === 'gpu' ? asyncifyUrl : wasmUrl;
  // One thread: two networks compute at once, and several would need headers that a plain host does not send.
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { wasm: new URL(url, import.meta.url).href };
  ort.env.logLevel = 'error';
  // Of severity 3, errors: with WebGPU it warns of operators on shapes, which belong on the processor.
  const options = { executionProviders: [place === 'gpu' ? 'webgpu' : 'wasm'], logSeverityLevel: 3 } as const;
  return {
    Tensor: ort.Tensor,
    open: (network) => ort.InferenceSession.create(network, options),
  };
}

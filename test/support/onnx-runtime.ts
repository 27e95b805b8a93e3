import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import * as web from 'onnxruntime-web';

/** Numbers with their shape. */
export interface Numbers {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

/** A build of onnxruntime. */
export type OnnxRuntime = Pick<typeof web, 'InferenceSession' | 'Tensor'>;

web.env.wasm.numThreads = 1;
web.env.logLevel = 'error';

/** Its WebAssembly, of the development dependencies. */
export const webRuntime: OnnxRuntime = web;

/**
 * Its native build, which is too large for a dependency: the package onnxruntime-node in the folder that
 * SATIN_ONNXRUNTIME_NODE names; null if it names none.
 */
export function nativeRuntime(): OnnxRuntime | null {
  const folder = process.env.SATIN_ONNXRUNTIME_NODE;
  return folder === undefined ? null : createRequire(import.meta.url)(resolve(folder));
}

/** Numbers by the name of an input or an output. */
export type Values = Readonly<Record<string, Numbers>>;

/** Runs an ONNX file in onnxruntime on each of several inputs, and returns its outputs. */
export async function runOnnx(
  bytes: Uint8Array,
  inputs: readonly Values[],
  ort: OnnxRuntime = webRuntime,
): Promise<readonly Values[]> {
  const session = await ort.InferenceSession.create(bytes);
  try {
    const outputs: Values[] = [];
    for (const input of inputs) {
      const feeds = Object.entries(input).map(
        ([name, { values, shape }]) => [name, new ort.Tensor(values, [...shape])] as const,
      );
      const results = Object.entries(await session.run(Object.fromEntries(feeds)));
      outputs.push(
        Object.fromEntries(
          results.map(([name, { data, dims }]) => [
            name,
            { values: Float32Array.from(data as Float32Array), shape: dims },
          ]),
        ),
      );
    }
    return outputs;
  } finally {
    await session.release();
  }
}

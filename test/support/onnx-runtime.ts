import * as ort from 'onnxruntime-web';

/** Numbers with their shape. */
export interface Numbers {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

/** Numbers by the name of an input or an output. */
export type Values = Readonly<Record<string, Numbers>>;

/** Runs an ONNX file in onnxruntime on each of several inputs, and returns its outputs. */
export async function runOnnx(bytes: Uint8Array, inputs: readonly Values[]): Promise<readonly Values[]> {
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

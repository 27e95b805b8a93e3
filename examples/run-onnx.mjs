// Runs an exported network in Node, without Satin, and attacks it with the exported gradient.
//
//   npx satin export runs/example --format onnx --fold --input-gradient cross-entropy --out example.onnx
//   npm install onnxruntime-web && node run-onnx.mjs example.gradient.onnx 1x28x28 10
import { InferenceSession, Tensor } from 'onnxruntime-web';

const [file = 'example.gradient.onnx', shape = '1x28x28', classes = '10'] = process.argv.slice(2);
const dims = [1, ...shape.split('x').map(Number)];
const session = await InferenceSession.create(file);
const original = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, Math.random);
const indexOfLargest = (values) => values.indexOf(Math.max(...values));

const zeros = new Float32Array(Number(classes));
const run = (pixels, labels) =>
  session.run({
    images: new Tensor('float32', pixels, dims),
    labels: new Tensor('float32', labels, [1, labels.length]),
  });
const label = indexOfLargest((await run(original, zeros)).logits.data);
const labels = zeros.map((_, index) => Number(index === label)); // 1 for the class, 0 elsewhere

const [epsilon, step] = [0.1, 0.025];
let pixels = original;
for (let iteration = 0; iteration < 10; iteration++) {
  const { gradient, logits } = await run(pixels, labels);
  console.log(`step ${iteration}: class ${indexOfLargest(logits.data)}`);
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  pixels = pixels.map((pixel, index) => {
    const moved = pixel + step * Math.sign(gradient.data[index]);
    return clamp(clamp(moved, original[index] - epsilon, original[index] + epsilon), 0, 1);
  });
}

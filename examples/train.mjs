// Trains a robust network on Fashion-MNIST for some seconds, and classifies with it.
//
//   npm install satin && npx satin doctor     the second builds the engine
//   node train.mjs
import { DatasetTensors, loadExamples, loadRecipe, readModel, scope, trainRun } from 'satin';

const path = 'runs/example';
const recipe = loadRecipe('fashion-mnist-silu', { smoke: true });
let isInterrupted = false;
process.once('SIGINT', () => {
  isInterrupted = true; // the run is saved, and the same program resumes it
});
await trainRun({
  recipe,
  path,
  resume: true,
  interrupted: () => isInterrupted,
  onEvent: (event) => {
    if (event.type === 'epoch') console.log(`epoch ${event.epoch}`, event.measurements);
  },
});

const { model } = readModel(path);
const { name } = recipe.data;
const data = await loadExamples(model.description, { name, split: 'test', count: 5, seed: 0 });
const images = new DatasetTensors(data);
scope(() => {
  const logits = model.classify(images.batch([0, 1, 2, 3, 4]).x); // [5, 10]
  const predicted = logits.argmax(1).numbers();
  for (const [index, label] of predicted.entries())
    console.log(`${data.classes[data.labels[index]]}: classified as ${data.classes[label]}`);
});

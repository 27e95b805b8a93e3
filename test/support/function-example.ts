import { DatasetTensors, evaluateRun, functionModel, loadExamples, parseEpsilon, type Tensor } from 'satin';

const any = { shape: null, classes: null };
const set = { name: 'fashion-mnist', seed: 0 } as const;
const training = await loadExamples(any, { ...set, split: 'train', count: 100 });
const data = await loadExamples(any, { ...set, split: 'test', count: 100 });

// The first image of each class: an image belongs to the class whose pattern is nearest.
const first = training.classes.map((_, label) => training.labels.indexOf(label));
const patterns = new DatasetTensors(training).batch(first).x.flatten(1); // [10, 784]
const classify = (x: Tensor) => x.flatten(1).unsqueeze(1).sub(patterns).pow(2).sum([2]).neg(); // [N, 10]

const { result } = await evaluateRun({
  model: functionModel({ name: 'nearest pattern', classify }),
  data,
  attacks: ['pgd-10'],
  norm: 'linf',
  epsilon: parseEpsilon('0.05', 'linf'),
  seed: 0,
  batch: 100,
  interrupted: () => false,
});
console.log(result.model, result.clean, result.robust);

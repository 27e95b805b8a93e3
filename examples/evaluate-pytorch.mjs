// Measures the robust accuracy of a model that PyTorch saved.
//
//   python -c "import torch; torch.jit.trace(model.eval(), x).save('model.pt')"     pixels in [0, 1] to logits
//   node evaluate-pytorch.mjs model.pt cifar10 8/255
import { evaluateRun, loadExamples, openModel, parseEpsilon } from 'satin';

const [file = 'model.pt', name = 'cifar10', radius = '8/255'] = process.argv.slice(2);
const model = openModel(file);
const data = await loadExamples(model, { name, split: 'test', count: 200, seed: 0 });
let isInterrupted = false;
process.once('SIGINT', () => {
  isInterrupted = true;
});
const { result } = await evaluateRun({
  model,
  data,
  attacks: ['apgd-ce', 'apgd-t'],
  norm: 'linf',
  epsilon: parseEpsilon(radius, 'linf'),
  seed: 0,
  batch: 'auto',
  interrupted: () => isInterrupted,
  onProgress: ({ stage, done, total }) => process.stderr.write(`\r${stage} ${done}/${total} `),
});
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const [low, high] = result.interval.map(percent);
console.log(`\nclean ${percent(result.clean)}, robust ${percent(result.robust)} (95 %: ${low} to ${high})`);
for (const { code, message } of result.flags) console.log(`${code}: ${message}`);

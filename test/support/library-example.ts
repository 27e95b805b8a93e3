import {
  DatasetTensors,
  evaluate,
  loadExamples,
  loadRecipe,
  norms,
  parseAttack,
  readModel,
  trainRun,
} from 'satin';

const recipe = loadRecipe('fashion-mnist-silu', { smoke: true, set: ['model.activation=softplus(10)'] });
await trainRun({
  recipe,
  path: 'runs/softplus',
  resume: false,
  interrupted: () => false,
  onEvent: (event) => {
    if (event.type === 'epoch') console.log(event.epoch, event.measurements);
  },
});

const { model } = readModel('runs/softplus');
const { name } = recipe.data;
const images = new DatasetTensors(
  await loadExamples(model.description, { name, split: 'test', count: 64, seed: 0 }),
);
const { clean, robust } = await evaluate({ exact: model.classify, fast: model.classify }, images, {
  attacks: [parseAttack('pgd-10')],
  threat: { norm: norms.linf, epsilon: recipe.threat.epsilon },
  seed: 0,
  batch: 250,
});
console.log({ clean, robust });

import type { CommandTable } from '../command-table.js';

/** All commands, in the order of `satin --help`. */
export const commands: CommandTable = {
  quickstart: {
    summary: 'train two robust networks, attack them, and write a report',
    example: './satin quickstart',
    load: async () => (await import('./quickstart.js')).quickstartCommand(),
  },
  init: {
    summary: 'write a recipe for a folder of your own images',
    example: './satin init photos',
    load: async () => (await import('./init.js')).initCommand(),
  },
  list: {
    summary: 'list recipes, models, activations, attacks or data sets',
    example: './satin list recipes',
    load: async () => (await import('./list.js')).listCommand(),
  },
  train: {
    summary: 'train a classifier from a recipe',
    example: './satin train fashion-mnist-silu --out runs/silu',
    load: async () => (await import('./train.js')).trainCommand(),
  },
  evaluate: {
    summary: 'measure clean and robust accuracy of a model',
    example: './satin evaluate runs/silu --epsilon 0.1 --examples 1000 --json silu.json',
    load: async () => (await import('./evaluate.js')).evaluateCommand(),
  },
  verify: {
    summary:
      'verify the stored adversarial images of an evaluation, or measure their transfer to another model',
    example: './satin verify kept/silu --model runs/relu',
    load: async () => (await import('./verify.js')).verifyCommand(),
  },
  predict: {
    summary: 'classify your own images',
    example: './satin predict runs/silu shirt.jpg boot.png',
    load: async () => (await import('./predict.js')).predictCommand(),
  },
  attack: {
    summary: 'attack your own images',
    example: './satin attack runs/silu shirt.jpg boot.png --epsilon 8/255 --out fooled',
    load: async () => (await import('./attack.js')).attackCommand(),
  },
  report: {
    summary: 'evaluate runs and write an HTML report',
    example: './satin report runs/relu runs/silu --out report.html',
    load: async () => (await import('./report.js')).reportCommand(),
  },
  demo: {
    summary: 'write a web page on which visitors attack two networks in their browser',
    example: './satin demo runs/relu runs/silu --out demo',
    load: async () => (await import('./demo.js')).demoCommand(),
  },
  serve: {
    summary: 'show runs and evaluations on a live web page',
    example: './satin serve runs',
    load: async () => (await import('./serve.js')).serveCommand(),
  },
  study: {
    summary: 'answer a question of the paper by paired runs over seeds',
    example: './satin study gradient-quality --seeds 3 --parallel 2',
    load: async () => (await import('./study.js')).studyCommand(),
  },
  plan: {
    summary: 'estimate the memory and time of a run',
    example: './satin plan cifar10-resnet18-pang --device a100 --count 4',
    load: async () => (await import('./plan.js')).planCommand(),
  },
  export: {
    summary: 'export a model to PyTorch or ONNX, or import PyTorch weights',
    example: './satin export runs/silu --format torchscript --out silu.pt',
    load: async () => (await import('./export.js')).exportCommand(),
  },
  publish: {
    summary: 'write a folder for the Hugging Face hub, or an entry for RobustBench',
    example: './satin publish runs/silu --to huggingface --evaluation kept/silu --out silu',
    load: async () => (await import('./publish.js')).publishCommand(),
  },
  bench: {
    summary: 'compare the speed with PyTorch',
    example: './satin bench train-step',
    load: async () => (await import('./bench.js')).benchCommand(),
  },
  doctor: {
    summary: 'show the engine, its speed, and the available data sets',
    example: './satin doctor',
    load: async () => (await import('./doctor.js')).doctorCommand(),
  },
  completion: {
    summary: 'let the tab key complete command lines',
    example: './satin completion bash',
    load: async () => (await import('./completion.js')).completionCommand(commands),
  },
};

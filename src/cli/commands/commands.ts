import type { CommandTable } from '../command-table.js';

/** All commands, in the order of `satin --help`. */
export const commands: CommandTable = {
  quickstart: {
    summary: 'train two robust networks, attack them, and write a report',
    example: './satin quickstart',
    load: async () => (await import('./quickstart.js')).quickstartCommand(),
  },
  train: {
    summary: 'train a classifier by a recipe',
    example: './satin train fashion-mnist-silu --out runs/silu',
    load: async () => (await import('./train.js')).trainCommand(),
  },
  evaluate: {
    summary: 'measure clean and robust accuracy of a model',
    example: './satin evaluate runs/silu --attack pgd-50 --epsilon 0.1 --examples 1000 --json silu.json',
    load: async () => (await import('./evaluate.js')).evaluateCommand(),
  },
  verify: {
    summary: 'check the adversarial images of an evaluation again, or try them on another model',
    example: './satin verify kept/silu --model runs/relu',
    load: async () => (await import('./verify.js')).verifyCommand(),
  },
  predict: {
    summary: 'class and probability of images of your own',
    example: './satin predict runs/silu shirt.jpg boot.png',
    load: async () => (await import('./predict.js')).predictCommand(),
  },
  attack: {
    summary: 'adversarial versions of images of your own',
    example: './satin attack runs/silu shirt.jpg boot.png --epsilon 8/255 --out fooled',
    load: async () => (await import('./attack.js')).attackCommand(),
  },
  report: {
    summary: 'measure runs and write a page that shows them',
    example: './satin report runs/relu runs/silu --out report.html',
    load: async () => (await import('./report.js')).reportCommand(),
  },
  plan: {
    summary: 'tell what a run would take, before anything is spent',
    example: './satin plan cifar10-resnet18 --device a100 --count 4',
    load: async () => (await import('./plan.js')).planCommand(),
  },
  export: {
    summary: 'write a model for PyTorch, or bring weights of PyTorch here',
    example: './satin export runs/silu --format torchscript --out silu.pt',
    load: async () => (await import('./export.js')).exportCommand(),
  },
  bench: {
    summary: 'measure the speed beside PyTorch',
    example: './satin bench train-step',
    load: async () => (await import('./bench.js')).benchCommand(),
  },
  doctor: {
    summary: 'tell what the engine is, how fast it is, and which data are here',
    example: './satin doctor',
    load: async () => (await import('./doctor.js')).doctorCommand(),
  },
};

import type { GalleryExample, Picture, ReportInput, ReportNetwork } from '../../src/report/input.js';

/** A plausible network: `curve` and `epochs` go from bad to good. */
export function network(name: string, clean: number, robust: number, epochs = 4): ReportNetwork {
  return {
    name,
    activation: name.toLowerCase(),
    isSmooth: name !== 'ReLU',
    formula: 'f(x) < x & more',
    parameters: 272_474,
    recipe: { model: { activation: name.toLowerCase(), note: '<script>alert(1)</script>' }, epochs },
    trainingSeconds: 130.4,
    trainedOn: ['cuda:0 (NVIDIA <H100>), tf32', 'cpu, float32'],
    warnings: [],
    epochs: Array.from({ length: epochs }, (_, index) => ({
      epoch: index + 1,
      loss: 2 / (index + 1),
      trainAccuracy: 0.5,
      validationClean: clean - 0.1 / (index + 1),
      validationRobust: robust - 0.1 / (index + 1),
      chosenBy: 'validationRobust' as const,
      seconds: 21.7,
    })),
    evaluation: {
      satin: '0.1.0',
      model: `runs/${name}`,
      modelDigest: `sha256:model-of-${name}`,
      weights: null,
      data: 'fashion-mnist:test',
      pixelsDigest: 'sha256:pixels',
      examples: 1000,
      norm: 'linf',
      epsilon: 0.1,
      epsilonText: '0.1',
      seed: 7,
      mode: 'custom',
      clean,
      robust,
      interval: [robust - 0.031, robust + 0.027],
      attacks: [
        {
          name: 'pgd-50',
          loss: 'ce',
          steps: 50,
          stepSize: 0.005,
          restarts: 3,
          targets: 0,
          attacked: Math.round(clean * 1000),
          broken: Math.round((clean - robust) * 1000),
          robustAfter: robust,
          forwards: 38_123,
          backwards: 37_456,
          seconds: 24.13,
        },
      ],
      flags: [],
      warnings: [],
      perExample: [],
      perClass: [],
      batch: { size: 250, measured: null },
      precision: { search: 'float32', verdict: 'float32' },
      search: 'operators',
      engine: {
        libtorch: '1.13.1',
        capability: 'AVX2',
        threads: 2,
        device: 'cpu',
        card: null,
        node: '20.20.2',
        commit: null,
      },
      command: './satin evaluate runs/one',
      seconds: 24.5,
    },
    cleanInterval: [clean - 0.024, clean + 0.021],
    curve: [0, 0.05, 0.1].map((epsilon) => ({
      epsilon,
      epsilonText: String(epsilon),
      robust: clean - (clean - robust) * epsilon * 10,
      interval: [robust - 0.05, clean + 0.05],
      attack: 'pgd-20',
      examples: 500,
    })),
  };
}

/** Values of 0.2 to 0.7, every other one moved up and the rest down by `shift`. */
export function picture(channels: number, height: number, width: number, shift = 0): Picture {
  const data = Float32Array.from(
    { length: channels * height * width },
    (_, index) => 0.2 + 0.5 * ((index % 7) / 7) + shift * (index % 2 === 0 ? 1 : -1),
  );
  return { channels, height, width, data };
}

/** An image that the first network loses to the attack and the others do not. */
export function example(names: readonly string[], image: Picture, adversarial: Picture): GalleryExample {
  return {
    id: 17,
    label: 'T-shirt <top>',
    image,
    networks: names.map((name, index) => ({
      name,
      adversarial,
      clean: { class: 'T-shirt <top>', probability: 0.973 },
      attacked: { class: index === 0 ? 'Bag & "purse"' : 'T-shirt <top>', probability: 0.512 },
    })),
  };
}

/** Two networks and one image; names hold what HTML would take for itself. */
export const two: ReportInput = {
  title: 'ReLU & SiLU <under> attack',
  subtitle: 'Two small networks',
  generated: '2026-03-01T10:15:30.000Z',
  command: "./satin quickstart --out 'runs/<a>' --seed 7",
  commit: 'abc123',
  versions: { satin: '0.1.0', libtorch: '1.13.1' },
  machine: '2 cores',
  seed: 7,
  threat: { norm: 'linf', epsilonText: '0.1', epsilon: 0.1 },
  data: { name: 'fashion-mnist:test', examples: 1000, classes: ['T-shirt <top>', 'Bag & "purse"'] },
  networks: [network('ReLU', 0.835, 0.682), network('SiLU', 0.851, 0.711)],
  comparisons: [{ first: 'ReLU', other: 'SiLU', onlyFirstRight: 21, onlyOtherRight: 50, pValue: 0.00076 }],
  gallery: [example(['ReLU', 'SiLU'], picture(1, 28, 28), picture(1, 28, 28, 0.1))],
  differences: [{ what: 'model.activation', values: ['relu', 'silu'] }],
  isOfActivation: true,
  notice: 'one seed: this shows the method and is no evidence for an activation',
};

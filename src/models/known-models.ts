import type { NormName } from '../attacks/norms.js';
import type { ModelName } from './architectures/names.js';
import type { ExternalDescription } from './external-description.js';
import { placeholderClassNames } from './placeholder-class-names.js';
import type { Preprocessing } from './preprocessing.js';

/**
 * Models whose accuracy under AutoAttack's standard set is published, so that an evaluation has a known answer: those of
 * RobustBench (commit 78fcc9e) whose network is in Satin. Names, networks and input are those of
 * robustbench/model_zoo/{cifar10,imagenet}.py, the figures those of model_info/DATA/THREAT/NAME.json.
 */
export interface KnownModel {
  readonly architecture: ModelName;
  readonly activation: 'relu' | 'silu';
  readonly data: 'cifar10' | 'imagenet';
  /** Padded as TensorFlow's `SAME`, with DeepMind's names. */
  readonly padding?: 'same';
  /** By channel; null for pixels as they are. The weights may hold it too. */
  readonly normalise: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
  readonly norm: NormName;
  /** ε as it is published. */
  readonly epsilonText: string;
  /** Published accuracies in percent: on clean images and under AutoAttack's standard set. */
  readonly clean: number;
  readonly robust: number;
}

const cifar = { mean: [0.4914, 0.4822, 0.4465], std: [0.2471, 0.2435, 0.2616] };
const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

const linf8 = { data: 'cifar10', norm: 'linf', epsilonText: '8/255' } as const;
const l2 = { data: 'cifar10', norm: 'l2', epsilonText: '0.5' } as const;
const linf4 = {
  data: 'imagenet',
  norm: 'linf',
  epsilonText: '4/255',
  activation: 'relu',
  normalise: imagenet,
} as const;
/** TRADES' network and its relatives: ReLU, pixels as they are. */
const plain = { ...linf8, activation: 'relu', normalise: null } as const;
const deepMind = { activation: 'silu', padding: 'same', normalise: cifar } as const;

export const knownModels = {
  Zhang2019Theoretically: {
    ...plain,
    architecture: 'wideresnet34-10',
    epsilonText: '0.031',
    clean: 84.92,
    robust: 53.08,
  },
  Carmon2019Unlabeled: { ...plain, architecture: 'wideresnet28-10', clean: 89.69, robust: 59.53 },
  Rice2020Overfitting: {
    ...plain,
    architecture: 'wideresnet34-20',
    normalise: cifar,
    clean: 85.34,
    robust: 53.42,
  },
  Wu2020Adversarial: { ...plain, architecture: 'wideresnet34-10', clean: 85.36, robust: 56.17 },
  Sehwag2021Proxy_R18: { ...plain, architecture: 'resnet18', clean: 84.59, robust: 55.54 },
  Addepalli2021Towards_RN18: { ...plain, architecture: 'resnet18', clean: 80.24, robust: 51.06 },
  Addepalli2022Efficient_RN18: { ...plain, architecture: 'resnet18', clean: 85.71, robust: 52.48 },
  Gowal2020Uncovering_28_10_extra: {
    ...linf8,
    ...deepMind,
    architecture: 'wideresnet28-10',
    clean: 89.48,
    robust: 62.8,
  },
  Gowal2021Improving_28_10_ddpm_100m: {
    ...linf8,
    ...deepMind,
    architecture: 'wideresnet28-10',
    clean: 87.5,
    robust: 63.44,
  },
  Rebuffi2021Fixing_28_10_cutmix_ddpm: {
    ...linf8,
    ...deepMind,
    architecture: 'wideresnet28-10',
    clean: 87.33,
    robust: 60.75,
  },
  Rebuffi2021Fixing_70_16_cutmix_extra: {
    ...linf8,
    ...deepMind,
    architecture: 'wideresnet70-16',
    clean: 92.23,
    robust: 66.58,
  },
  'Wang2023Better_WRN-28-10': {
    ...linf8,
    ...deepMind,
    architecture: 'wideresnet28-10',
    clean: 92.44,
    robust: 67.31,
  },
  'Wang2023Better_WRN-70-16': {
    ...linf8,
    ...deepMind,
    architecture: 'wideresnet70-16',
    clean: 93.25,
    robust: 70.69,
  },
  Rice2020Overfitting_L2: {
    ...l2,
    activation: 'relu',
    normalise: cifar,
    architecture: 'preact-resnet18',
    clean: 88.67,
    robust: 67.68,
  },
  Rebuffi2021Fixing_28_10_cutmix_ddpm_L2: {
    ...l2,
    ...deepMind,
    architecture: 'wideresnet28-10',
    clean: 91.79,
    robust: 78.8,
  },
  'Wang2023Better_WRN-28-10_L2': {
    ...l2,
    ...deepMind,
    architecture: 'wideresnet28-10',
    clean: 95.16,
    robust: 83.68,
  },
  Engstrom2019Robustness_ImageNet: { ...linf4, architecture: 'resnet50', clean: 62.56, robust: 29.22 },
  Salman2020Do_R50_ImageNet: { ...linf4, architecture: 'resnet50', clean: 64.02, robust: 34.96 },
  Salman2020Do_R18_ImageNet: { ...linf4, architecture: 'resnet18-imagenet', clean: 52.92, robust: 25.32 },
} as const satisfies Record<string, KnownModel>;

export type KnownName = keyof typeof knownModels;

export const knownNames = Object.keys(knownModels) as readonly KnownName[];

/** The description of a known model, for its weights. */
export function knownDescription(name: KnownName): ExternalDescription {
  const model: KnownModel = knownModels[name];
  const isLarge = model.data === 'imagenet';
  return {
    architecture: model.architecture,
    width: 1,
    activation: model.activation,
    classes: placeholderClassNames(isLarge ? 1000 : 10),
    shape: isLarge ? [3, 224, 224] : [3, 32, 32],
    ...(model.padding !== undefined && { padding: model.padding }),
    // Its preprocessing Res256Crop224, of torchvision.
    ...(isLarge && { transform: { resize: 256, filter: 'bilinear', centre: 'torchvision' } }),
  };
}

/** What the network expects of pixels. */
export function knownPreprocessing(name: KnownName): Preprocessing {
  const { normalise }: KnownModel = knownModels[name];
  return { range: [0, 1], normalise };
}

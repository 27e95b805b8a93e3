import { join } from 'node:path';
import { packageFolder } from '../src/provenance/package-folder.js';

/** What a study is measured on. */
export interface Scale {
  readonly name: string;
  /** The recipe that the arms change: a bundled one, or a file. */
  readonly recipe: string;
  readonly description: string;
}

/** From the smallest to the largest. */
export const scales: readonly Scale[] = [
  {
    name: 'fashion',
    recipe: 'fashion-mnist-relu',
    description: 'Fashion-MNIST, ResNet-8 at half width: a minute a run on two cores',
  },
  {
    name: 'cifar',
    recipe: join(packageFolder, 'studies', 'cifar10-small.yaml'),
    description: 'CIFAR-10, ResNet-18 at a quarter of its width: a quarter of an hour a run on two cores',
  },
  {
    name: 'cifar-resnet18',
    recipe: join(packageFolder, 'studies', 'cifar10-resnet18.yaml'),
    description: 'CIFAR-10, ResNet-18 of full width: for a graphics card',
  },
  {
    name: 'imagenet',
    recipe: 'imagenet-resnet50-relu',
    description: "ImageNet, ResNet-50, the paper's own setting: for many cards",
  },
];

import { statSync } from 'node:fs';
import { InputError } from '../../errors.js';
import { nameList } from '../../user-input/name-list.js';
import type { WeightArray } from '../module-weights.js';
import { type BundleEntry, indexOf, TensorBundle } from './bundle.js';
import { averageSuffix, efficientNetPlacement, isTpuEfficientNet } from './efficientnet-names.js';
import { isTensorpack, tensorpackPlacement } from './tensorpack-names.js';
import { type Placement, placed } from './variable.js';

/** Sets of weights in a checkpoint: the variables, or their exponential moving averages. */
export const checkpointEntries = ['raw', 'ema'] as const;

export type CheckpointEntry = (typeof checkpointEntries)[number];

/** The weights of a network of TensorFlow. */
export interface TensorFlowWeights {
  readonly files: readonly string[];
  /** The weights under the names of a Satin network with these tensors, in its layout, read lazily. */
  readonly arraysFor: (names: ReadonlySet<string>) => readonly WeightArray[];
  /** Variables that are no weights. */
  readonly skipped: readonly string[];
}

/** Whether a path is the prefix of a checkpoint of TensorFlow: PREFIX.index exists, and PREFIX itself does not. */
export function isTensorFlowCheckpoint(path: string): boolean {
  const isFile = (each: string) => statSync(each, { throwIfNoEntry: false })?.isFile();
  return isFile(path) === undefined && isFile(indexOf(path)) === true;
}

/**
 * Reads the index of a checkpoint of one of the paper's networks: a ResNet of tensorpack, or an EfficientNet of the TPU
 * code. `entry` chooses between variables and averages; by default the averages, where there are some.
 *
 * @throws {InputError} for another network, a damaged index, or an entry that it lacks.
 */
export function readTensorFlowCheckpoint(prefix: string, entry?: string): TensorFlowWeights {
  const bundle = TensorBundle.open(prefix);
  const names = [...bundle.entries.keys()];
  const suffix = suffixOf(prefix, names, entry);
  const chosen = names.filter((name) => name.endsWith(averageSuffix) === (suffix !== ''));
  const isResNet = isTensorpack(names);
  if (!isResNet && !isTpuEfficientNet(names))
    throw InputError.expected(
      'a ResNet of tensorpack (conv0/W) or an EfficientNet of the TPU code (efficientnet-b0/stem/...)',
      `the variables in ${prefix}`,
      nameList(names),
    );
  const placementOf = (name: string, blocks: readonly string[]): Placement | null => {
    const own = name.slice(0, name.length - suffix.length);
    return isResNet ? tensorpackPlacement(own) : efficientNetPlacement(own, blocks);
  };
  const weights = new Set(chosen.filter((name) => placementOf(name, []) !== null));
  return {
    files: bundle.files,
    skipped: names.filter((name) => !weights.has(name)),
    arraysFor(expected) {
      const blocks = blocksOf(expected);
      return [...weights].map((name) =>
        placed(arrayOf(bundle, name, bundle.entries.get(name)!), placementOf(name, blocks)!),
      );
    },
  };
}

/** Suffix of the names of the chosen variables. */
function suffixOf(prefix: string, names: readonly string[], entry: string | undefined): string {
  const known = checkpointEntries.find((each) => each === entry);
  if (entry !== undefined && known === undefined)
    throw InputError.expected(checkpointEntries.join(' or '), '`entry`', entry);
  const hasAverages = names.some((name) => name.endsWith(averageSuffix));
  if (known === 'ema' && !hasAverages)
    throw InputError.expected('raw', '`entry`', entry, `${prefix} holds no moving averages.`);
  return hasAverages && known !== 'raw' ? averageSuffix : '';
}

/** @throws {InputError} for a type that no network has, and a variable in several pieces. */
function arrayOf(bundle: TensorBundle, name: string, entry: BundleEntry): WeightArray {
  const { dtype, shape } = entry;
  if (dtype === null || entry.isPartitioned)
    throw InputError.expected(
      'a variable of numbers in one piece',
      `${name} in ${bundle.prefix}`,
      dtype === null ? 'one of another type' : 'a partitioned one',
    );
  return { name, dtype, shape, read: () => bundle.read(entry) };
}

/** The blocks of an EfficientNet with these tensors, in order. */
function blocksOf(names: ReadonlySet<string>): readonly string[] {
  const blocks = [...names].flatMap((name) => /^blocks\.\d+\.\d+/.exec(name)?.[0] ?? []);
  return [...new Set(blocks)];
}

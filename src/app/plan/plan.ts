import { parseActivation } from '../../activations/parse.js';
import { cardName, deviceMemory } from '../../engine/device.js';
import { type DeviceName, isDeviceName } from '../../engine/device-name.js';
import { setThreads } from '../../engine/engine-info.js';
import { setTensorFloat32 } from '../../engine/precision.js';
import type { Precision } from '../../engine/precision-name.js';
import { InputError } from '../../errors.js';
import { layerSummary, type NetworkSummary } from '../../models/layer-summary.js';
import { networkOf } from '../../recipe/network-description.js';
import type { Recipe } from '../../recipe/recipe.js';
import { deviceOfRank } from '../device-of-rank.js';
import { requirePrecision } from '../require-precision.js';
import { requireWholeGroups } from '../require-whole-groups.js';
import { requireClassWeights } from '../train/class-weights.js';
import { requireWholeBatch } from '../train/require-whole-batch.js';
import { type Device, devices, type PlannedName, reached } from './devices.js';
import { measureLayers, type PassTimes } from './layer-times.js';
import type { OnTimed } from './on-timed.js';
import { type Passes, passCounts } from './pass-counts.js';
import { measureStep, type StepTime } from './step-time.js';
import { type TrainingSetSize, trainingSetSize } from './training-set-size.js';

/** An estimate of what a run needs. */
export interface Plan {
  readonly parameters: number;
  /** Multiply-accumulate operations of convolutions and linear layers for one image. */
  readonly macs: number;
  /** Images that training draws from, without those for validation and test. */
  readonly images: number;
  readonly steps: number;
  readonly batch: number;
  readonly perImage: Passes;
  /** Bytes on each device: weights with gradients and momentum, and activations saved for the backward pass. */
  readonly memory: { readonly weights: number; readonly activations: number };
  /** Memory of each device in bytes; null for this machine. */
  readonly deviceMemory: number | null;
  readonly device: string;
  readonly count: number;
  /** Seconds of one step. */
  readonly stepSeconds: number;
  readonly imagesPerSecond: number;
  /** Of all training steps, and of validation after each epoch. */
  readonly hours: { readonly training: number; readonly validation: number };
  /** How the times were obtained. */
  readonly basis: 'measured steps' | 'measured layers' | 'data sheet';
}

export interface PlanOptions {
  /** A device of the table, or one of this machine (`cpu`, `cuda`, `cuda:N`), where steps or layers are timed. @default the recipe's */
  readonly device?: PlannedName | DeviceName;
  /** Devices that share each batch. @default 1 */
  readonly count?: number;
  readonly onProgress?: OnTimed;
}

/**
 * Estimates what a recipe needs on a device. On a device of this machine some training steps are timed on random images; for
 * a network that is too large for that, and for validation, each distinct layer is timed and the times are added. On others a
 * layer takes the longer of its arithmetic and its memory traffic, from the data sheet scaled by the share that training
 * reaches.
 *
 * @throws {InputError} if the batch cannot be split equally among the devices, or the data cannot be read.
 */
export async function plan(recipe: Recipe, options: PlanOptions = {}): Promise<Plan> {
  const { device, count = 1, onProgress } = options;
  const { training } = recipe;
  const { precision } = training;
  const isHere = device === undefined || isDeviceName(device);
  if (training.batch % (count * training.accumulate) !== 0)
    throw InputError.expected(
      `a divisor of the batch of ${training.batch}`,
      '`count` times training.accumulate',
      count * training.accumulate,
    );
  requireWholeGroups(training.batch / count / training.accumulate, training);
  if (isHere && count > 1)
    throw InputError.expected(
      `one of ${Object.keys(devices).join(', ')}`,
      '`device` with `count`',
      device ?? 'this machine',
      'Several devices of this machine are not measured.',
    );
  const target = isHere
    ? deviceHere(device ?? recipe.device, {
        precision,
        source: device === undefined ? 'device of the recipe' : '`device`',
      })
    : deviceOfTable(device, precision);
  const set = await trainingSetSize(recipe);
  requireWholeBatch(set.training, training.batch);
  requireClassWeights(recipe, set.classes);
  const network = layerSummary({
    ...networkOf(recipe),
    shape: set.shape,
    classes: Array.from({ length: set.classes }, (_, label) => String(label)),
  });
  const work = passCounts(recipe, set);
  const part = training.batch / count / training.accumulate;
  const { times, stepped } =
    'name' in target
      ? measuredTimes(recipe, { network, set, part, device: target.name, onProgress })
      : { times: byDataSheet(network, target), stepped: null };
  const perImage = stepped?.perImage ?? secondsOf(work.perImage, times);
  const stepSeconds = (work.batch / count) * perImage + (stepped ?? times).optimizer;
  const validation = (work.epochs * work.measured * secondsOf(work.perMeasured, times)) / count;
  const averaged = training.ema === null ? 0 : 1;
  const moments = training.optimizer.name === 'sgd' ? 1 : 2;
  return {
    parameters: network.parameters,
    macs: network.macs,
    images: set.training,
    steps: work.steps,
    batch: work.batch,
    perImage: work.perImage,
    memory: {
      weights: 4 * network.parameters * (2 + moments + averaged),
      activations: (part * keptBytes(network)) / (precision === 'bfloat16' ? 2 : 1),
    },
    deviceMemory: target.memory,
    device: target.title,
    count,
    stepSeconds,
    imagesPerSecond: work.batch / stepSeconds,
    hours: { training: (work.steps * stepSeconds) / 3600, validation: validation / 3600 },
    basis: !('name' in target) ? 'data sheet' : stepped !== null ? 'measured steps' : 'measured layers',
  };
}

/** A device to plan for; `memory` is null where it is not that of a card. */
interface Target {
  readonly title: string;
  readonly memory: number | null;
}

/** A device of this machine. */
interface TargetHere extends Target {
  readonly name: string;
}

/** A device of the table, with what it reaches in the recipe's precision. */
interface TargetOfTable extends Target {
  /** Floating-point operations, and bytes to and from memory, per second. */
  readonly rate: number;
  readonly bandwidth: number;
  /** Bytes of a number in memory. */
  readonly perNumber: number;
}

function deviceHere(
  wanted: string,
  { precision, source }: { readonly precision: Precision; readonly source: string },
): TargetHere {
  const name = deviceOfRank(wanted, { source });
  requirePrecision(precision, { device: name, name: 'training.precision' });
  if (name === 'cpu') return { name, title: 'this machine', memory: null };
  return { name, title: `this machine's ${cardName(name) ?? name}`, memory: deviceMemory(name) };
}

function deviceOfTable(name: PlannedName, precision: Precision): TargetOfTable {
  const { title, memory, rates, bandwidth }: Device = devices[name];
  const rate = rates[precision];
  if (rate === undefined)
    throw InputError.expected(
      Object.keys(rates).join(' or '),
      'training.precision',
      precision,
      `${title} does not have ${precision}.`,
    );
  return {
    title,
    memory,
    rate: rate * reached.arithmetic[precision],
    bandwidth: bandwidth * reached.bandwidth,
    perNumber: precision === 'bfloat16' ? bytes / 2 : bytes,
  };
}

/** Times single layers on a device of this machine, and whole steps unless the network is too large for that. */
function measuredTimes(
  recipe: Recipe,
  options: {
    readonly network: NetworkSummary;
    readonly set: TrainingSetSize;
    /** Images of a step on one device. */
    readonly part: number;
    readonly device: string;
    readonly onProgress: OnTimed | undefined;
  },
): { readonly times: PassTimes; readonly stepped: StepTime | null } {
  const { network, set, part, device, onProgress } = options;
  const { precision } = recipe.training;
  const most = device === 'cpu' ? measuredMacs.cpu : measuredMacs.card;
  const images = Math.max(2, Math.min(part, Math.round(most / network.macs)));
  if (recipe.threads !== null) setThreads(recipe.threads);
  using _setting = setTensorFloat32(precision === 'tf32');
  const activation = parseActivation(recipe.model.activation);
  return {
    times: measureLayers(network, { activation, images, precision, device }, onProgress),
    stepped:
      network.parameters <= steppedParameters
        ? measureStep(recipe, set, { images, device, onProgress })
        : null,
  };
}

function secondsOf(passes: Passes, times: PassTimes): number {
  const { forward, attack, update } = passes;
  return forward * times.forward + attack * times.attack + update * times.update;
}

/** Images per timed step: those of a step, or fewer if that would take long. */
const measuredMacs = { cpu: 2e10, card: 4e12 } as const;

/** A larger network is not built just to be timed: its weights, gradients and momentum would fill this machine. */
const steppedParameters = 2e8;

/** Each output element is written by its layer, read and written by batch norm and activation, and read by the next layer. */
const passesOverMemory = { forward: 4, attack: 9, update: 13 };
const bytes = 4;

function byDataSheet(
  { layers, parameters }: NetworkSummary,
  { rate, bandwidth, perNumber }: TargetOfTable,
): PassTimes {
  const times = { forward: 0, attack: 0, update: 0 };
  for (const { macs, output } of layers) {
    const size = output.reduce((product, each) => product * each, 1);
    // The gradient of the input, or of the weights, needs as much arithmetic as the forward pass.
    for (const [kind, products] of [
      ['forward', 1],
      ['attack', 2],
      ['update', 3],
    ] as const)
      times[kind] += Math.max(
        (2 * macs * products) / rate,
        (perNumber * size * passesOverMemory[kind]) / bandwidth,
      );
  }
  return { ...times, optimizer: (bytes * parameters * 6) / bandwidth };
}

/** Bytes saved per image for the backward pass: each layer's output, before and after norm and activation. */
function keptBytes({ layers }: NetworkSummary): number {
  return layers.reduce(
    (sum, { output }) => sum + 2 * bytes * output.reduce((product, each) => product * each, 1),
    0,
  );
}

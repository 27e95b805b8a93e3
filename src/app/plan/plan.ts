import { parseActivation } from '../../activations/parse.js';
import { cardName, deviceMemory } from '../../engine/device.js';
import { setThreads } from '../../engine/engine-info.js';
import { setTensorFloat32 } from '../../engine/precision.js';
import type { Precision } from '../../engine/precision-name.js';
import { InputError } from '../../errors.js';
import { layerSummary, type NetworkSummary } from '../../models/layer-summary.js';
import type { Recipe } from '../../recipe/recipe.js';
import { deviceOfRank } from '../device-of-rank.js';
import { requirePrecision } from '../require-precision.js';
import { type Device, type DeviceName, devices, reached } from './devices.js';
import { measureLayers, type PassTimes } from './layer-times.js';
import { type Passes, passCounts } from './pass-counts.js';
import { measureStep } from './step-time.js';
import { trainingSetSize } from './training-set-size.js';

/** An estimate of what a run needs. */
export interface Plan {
  readonly parameters: number;
  /** Multiply-accumulate operations of convolutions and linear layers for one image. */
  readonly macs: number;
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
  /** A device of the table, or one of this machine (`cpu`, `cuda`), where steps or layers are timed. @default the recipe's */
  readonly device?: DeviceName | 'cpu' | 'cuda';
  /** Devices that share each batch. @default 1 */
  readonly count?: number;
}

/**
 * Estimates what a recipe needs on a device. On a device of this machine some training steps are timed on random images; for
 * a network that is too large for that, and for validation, each distinct layer is timed and the times are added. On others a
 * layer takes the longer of its arithmetic and its memory traffic, from the data sheet scaled by the share that training
 * reaches.
 *
 * @throws {InputError} if the batch cannot be split equally among the devices, or the data cannot be read.
 */
export async function plan(recipe: Recipe, { device, count = 1 }: PlanOptions = {}): Promise<Plan> {
  const { training, model } = recipe;
  const { precision } = training;
  const named: Device | null =
    device === undefined || device === 'cpu' || device === 'cuda' ? null : devices[device];
  if (named !== null && named.rates[precision] === undefined)
    throw InputError.expected(
      Object.keys(named.rates).join(' or '),
      'training.precision',
      precision,
      `That is what an ${named.title} computes in.`,
    );
  if (training.batch % (count * training.accumulate) !== 0)
    throw InputError.expected(
      `a divisor of the batch of ${training.batch}`,
      '`count` times training.accumulate',
      count * training.accumulate,
    );
  if (named === null && count > 1)
    throw InputError.expected(
      `one of ${Object.keys(devices).join(', ')}`,
      '`device` with `count`',
      device ?? recipe.device,
    );
  const here = named === null ? deviceOfRank(device ?? recipe.device) : null;
  if (here !== null) requirePrecision(precision, { device: here, name: 'training.precision' });
  const set = await trainingSetSize(recipe);
  const network = layerSummary({
    architecture: model.name,
    width: model.width,
    activation: model.activation,
    shape: set.shape,
    classes: Array.from({ length: set.classes }, (_, label) => String(label)),
  });
  const work = passCounts(recipe, set.count);
  const part = training.batch / count / training.accumulate;
  const most = here === 'cpu' ? measuredMacs.cpu : measuredMacs.card;
  const images = Math.max(2, Math.min(part, Math.round(most / network.macs)));
  if (named === null && recipe.threads !== null) setThreads(recipe.threads);
  using _setting = setTensorFloat32(precision === 'tf32');
  const times =
    named === null
      ? measureLayers(network, {
          activation: parseActivation(model.activation),
          images,
          precision,
          device: here!,
        })
      : byDataSheet(network, named, precision);
  const stepped =
    here !== null && network.parameters <= steppedParameters
      ? measureStep(recipe, set, { images, device: here })
      : null;
  const perImage = stepped?.perImage ?? secondsOf(work.perImage, times);
  const stepSeconds = (work.batch / count) * perImage + (stepped ?? times).optimizer;
  const validation = (work.epochs * work.measured * secondsOf(work.perMeasured, times)) / count;
  const averaged = training.ema === null ? 0 : 1;
  const moments = training.optimizer.name === 'sgd' ? 1 : 2;
  return {
    parameters: network.parameters,
    macs: network.macs,
    images: set.count,
    steps: work.steps,
    batch: work.batch,
    perImage: work.perImage,
    memory: {
      weights: 4 * network.parameters * (2 + moments + averaged),
      activations: (part * keptBytes(network)) / (precision === 'bfloat16' ? 2 : 1),
    },
    deviceMemory: named?.memory ?? (here === 'cpu' ? null : deviceMemory(here!)),
    device: named?.title ?? (here === 'cpu' ? 'this machine' : `this machine's ${cardName(here!) ?? here}`),
    count,
    stepSeconds,
    imagesPerSecond: work.batch / stepSeconds,
    hours: { training: (work.steps * stepSeconds) / 3600, validation: validation / 3600 },
    basis: named !== null ? 'data sheet' : stepped !== null ? 'measured steps' : 'measured layers',
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
  device: Device,
  precision: Precision,
): PassTimes {
  const [rate, bandwidth] = [
    device.rates[precision]! * reached.arithmetic[precision],
    device.bandwidth * reached.bandwidth,
  ];
  const perNumber = precision === 'bfloat16' ? bytes / 2 : bytes;
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

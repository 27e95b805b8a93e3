import type { Activation } from '../../activations/activation.js';
import { synchronise } from '../../engine/device.js';
import type { Precision } from '../../engine/precision-name.js';
import type { NetworkSummary } from '../../models/layer-summary.js';
import { ActivationLayer } from '../../nn/activation-layer.js';
import { convolve } from '../../nn/fused-block.js';
import { Initialiser } from '../../nn/initialise.js';
import { BatchNorm2d, Conv2d, Linear } from '../../nn/layers.js';
import { type FoldedWeights, Module, type Pass } from '../../nn/module.js';
import { ones } from '../../tensor/create.js';
import { gradients, noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Sgd } from '../../training/optimizers/sgd.js';
import type { OnTimed } from './on-timed.js';
import type { Passes } from './pass-counts.js';

/** Seconds per image for each kind of pass, and per step for the optimiser. */
export type PassTimes = Passes & { readonly optimizer: number };

/**
 * Times each distinct layer of a network on this machine, a convolution together with the batch norm and the activation
 * that follow it, and adds the times. Not measured: residual additions, pooling, noise, reading images.
 */
export function measureLayers(
  { layers, state, parameters }: Pick<NetworkSummary, 'layers' | 'state' | 'parameters'>,
  place: Pick<LayerSetting, 'activation' | 'images' | 'precision' | 'device'>,
  onProgress?: OnTimed,
): PassTimes {
  const known = new Map<string, Passes>();
  const sum = { forward: 0, attack: 0, update: 0 };
  for (const [index, { name, input, output }] of layers.entries()) {
    onProgress?.({ label: 'time layers', done: index, total: layers.length });
    const weight = state.get(`${name}.weight`)!;
    const biased = state.has(`${name}.bias`);
    const key = [input, output, weight, biased].join(' ');
    const times = known.get(key) ?? scope(() => timesOf({ input, output, weight, biased, ...place }));
    known.set(key, times);
    sum.forward += times.forward;
    sum.attack += times.attack;
    sum.update += times.update;
  }
  return { ...sum, optimizer: optimizerTime(parameters, place.device) };
}

interface LayerSetting {
  readonly input: readonly number[];
  readonly output: readonly number[];
  /** The shape of its weights. */
  readonly weight: readonly number[];
  readonly biased: boolean;
  readonly activation: Activation;
  readonly images: number;
  readonly precision: Precision;
  /** Where it is timed. */
  readonly device: string;
}

/** One layer of a network with the norm and activation that follow it. */
class MeasuredLayer extends Module {
  readonly forward: (x: Tensor, pass: Pass) => Tensor;

  constructor({ input, output, weight, biased, activation }: LayerSetting) {
    super();
    const initialiser = new Initialiser(0);
    const [outputs, inputs, kernel] = weight as [number, number, number | undefined];
    if (kernel === undefined) {
      const linear = this.child('linear', new Linear({ inputs, outputs, initialiser }));
      this.forward = (x, pass) => linear.forward(x, pass);
      return;
    }
    const groups = input[0]! / inputs;
    const stride = Math.round(input[1]! / output[1]!);
    const shape = { inputs: input[0]!, outputs, kernel, stride, groups, bias: biased };
    const convolution = this.child('convolution', new Conv2d({ ...shape, initialiser }));
    if (biased) {
      this.forward = (x, pass) => convolution.forward(x, pass);
      return;
    }
    const norm = this.child('norm', new BatchNorm2d({ channels: outputs, initialiser }));
    const behind = { activation: this.child('activation', new ActivationLayer(activation, 'float32')) };
    this.forward = (x, pass) => convolve(x, convolution, norm, behind, pass);
  }
}

function timesOf(setting: LayerSetting): Passes {
  const { input, images, precision, device } = setting;
  using layer = new MeasuredLayer(setting);
  layer.moveTo(device);
  const parameters = [...layer.parameters().values()];
  const computed = precision === 'bfloat16' ? { computeDtype: precision } : {};
  const laid = ones([images, ...input], computed.computeDtype ?? 'float32', device);
  const x = (input.length === 3 ? laid.contiguous('channels-last') : laid).requireGrad_();
  const folded = new Map<Module, FoldedWeights>();
  const measured: Pass = { ...computed, train: false, folded };
  const updated: Pass = { ...computed, train: true };
  const timed = (run: () => unknown) => seconds(device, run);
  const times = {
    forward: timed(() => noGrad(() => layer.forward(x, measured))),
    attack: timed(() => layer.frozen(() => gradients([layer.forward(x, measured).sum()], [x]))),
    update: timed(() => gradients([layer.forward(x, updated).sum()], [x, ...parameters])),
  };
  for (const tensors of folded.values()) for (const tensor of tensors) tensor.dispose();
  return { forward: times.forward / images, attack: times.attack / images, update: times.update / images };
}

/** An SGD step over `count` parameters. */
function optimizerTime(count: number, device: string): number {
  return scope(() => {
    const sample = Math.min(count, 4_000_000);
    const weights = ones([1, sample], 'float32', device);
    const settings = { momentum: 0.9, nesterov: true, weightDecay: 1e-4 };
    using optimizer = new Sgd(new Map([['weights', weights]]), settings);
    const gradient = ones([1, sample], 'float32', device);
    return (seconds(device, () => optimizer.step([gradient], 0.1)) * count) / sample;
  });
}

/** The median of three runs after a warm-up. */
function seconds(device: string, run: () => unknown): number {
  const taken = Array.from({ length: 4 }, () => {
    synchronise(device);
    const began = performance.now();
    scope(() => void run());
    synchronise(device);
    return (performance.now() - began) / 1000;
  });
  return taken.slice(1).sort((a, b) => a - b)[1]!;
}

import { integers, tensor } from '../../tensor/create.js';
import { activationArgument, type Curve, planWeights } from '../../tensor/functional.js';
import { keep, scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { BackwardPlan, ForwardPlan, ForwardStep, Geometry, ValueNumber } from './steps.js';

/** A plan as the engine takes it: native/plan_steps.h. */
export interface EncodedPlan {
  /** Packed weights, biases, scales and shifts. */
  readonly constants: readonly Tensor[];
  /** int64 */
  readonly numbers: Tensor;
  /** Kind, a and b of each activation, float64. */
  readonly curves: Tensor;
}

const kinds = {
  load: 0,
  convolution: 1,
  convolutionBack: 2,
  curve: 3,
  mean: 4,
  meanBack: 5,
  sum: 6,
  store: 7,
  maxPool: 8,
  maxPoolBack: 9,
  gate: 10,
  gateBack: 11,
  gateBackToGate: 12,
} as const;

/** The fields of a step; what it does not have is left out. */
interface Fields {
  readonly kind: keyof typeof kinds;
  readonly from?: ValueNumber;
  readonly to?: ValueNumber;
  readonly other?: ValueNumber | null;
  readonly curve?: number;
  readonly derivative?: number;
  readonly slopes?: number | undefined;
  readonly saved?: number | undefined;
  readonly weights?: number | undefined;
  readonly bias?: number | undefined;
  readonly geometry?: Partial<Geometry>;
}

/** @param derivative whose slopes the way back takes in place of those of each activation, if it is another one */
export function encode(
  forward: ForwardPlan,
  backward: BackwardPlan,
  derivative: Curve | undefined,
): EncodedPlan {
  const constants: Tensor[] = [];
  const curves: number[] = [];
  const constant = (values: Tensor) => constants.push(keep(values)) - 1;
  const vector = (values: Float32Array | null) =>
    values === null ? undefined : constant(tensor(values, [values.length]));
  const curveNumber = (curve: Curve) => {
    const [kind = 0, a = 0, b = 0] = activationArgument(curve);
    for (let at = 0; at < curves.length; at += 3)
      if (curves[at] === kind && curves[at + 1] === a && curves[at + 2] === b) return at / 3;
    return curves.push(kind, a, b) / 3 - 1;
  };
  const slopes = new Map<ValueNumber, number>();
  /** What steps keep besides slopes. */
  const saved = new Map<ForwardStep, number>();
  const backWeights = new Map<ForwardStep, number>();
  /** Numbers of an image in each array that is kept for the way back. */
  const kept: number[] = [];
  const keepAlike = (value: ValueNumber, more = 0) => kept.push(forward.sizes[value]! + more) - 1;

  const [channels, height, width] = forward.shape;
  return scope(() => {
    const scale = vector(forward.load?.scale ?? null);
    const pixels = { inputs: channels, height, width };
    const ahead: Fields[] = [
      {
        kind: 'load',
        to: forward.images,
        weights: scale,
        bias: vector(forward.load?.shift ?? null),
        geometry: pixels,
      },
    ];
    for (const step of forward.steps) {
      const { from, to, other } = step;
      if (step.keeps) slopes.set(to, keepAlike(to));
      if (step.kind === 'max-pool') {
        saved.set(step, keepAlike(to));
        ahead.push({ kind: 'maxPool', from, to, saved: saved.get(step), geometry: step.geometry });
        continue;
      }
      if (step.kind === 'gate') {
        saved.set(step, keepAlike(to, step.channels));
        ahead.push({ kind: 'gate', from, to, other, saved: saved.get(step), geometry: gateGeometry(step) });
        continue;
      }
      if (step.kind === 'mean') {
        ahead.push({ kind: 'mean', from, to, geometry: { height: step.places } });
        continue;
      }
      const curve = step.curve === null ? (step.keeps ? identity : null) : step.curve;
      const shared = {
        from,
        to,
        other,
        slopes: slopes.get(to),
        ...(curve !== null && {
          curve: curveNumber(curve),
          derivative: curveNumber(step.curve === null ? curve : (derivative ?? curve)),
        }),
      };
      if (step.kind === 'convolution') {
        const { geometry } = step;
        const [weights, weightsBack] = scope(() => {
          const weight = step.weight.read();
          return [false, true].map((back) => constant(planWeights(weight, geometryNumbers(geometry), back)));
        });
        backWeights.set(step, weightsBack!);
        ahead.push({ kind: 'convolution', ...shared, weights, bias: vector(step.bias), geometry });
      } else
        ahead.push({
          kind: 'curve',
          ...shared,
          weights: vector(step.affine?.scale ?? null),
          bias: vector(step.affine?.shift ?? null),
          geometry: { inputs: step.channels },
        });
    }
    ahead.push({ kind: 'store', from: forward.logits, geometry: { inputs: forward.classes } });

    const back: Fields[] = [
      { kind: 'load', to: backward.logits, geometry: { inputs: forward.classes, height: 1, width: 1 } },
    ];
    for (const step of backward.steps) {
      const { from, to, other, slopesOf } = step;
      const shared = { from, to, other, slopes: slopesOf === null ? undefined : slopes.get(slopesOf) };
      if (step.kind === 'convolution')
        back.push({
          kind: 'convolutionBack',
          ...shared,
          weights: backWeights.get(step.forward),
          geometry: step.forward.geometry,
        });
      else if (step.kind === 'max-pool')
        back.push({
          kind: 'maxPoolBack',
          ...shared,
          saved: saved.get(step.forward),
          geometry: step.forward.geometry,
        });
      else if (step.kind === 'gate' || step.kind === 'gate-to-gate')
        back.push({
          kind: step.kind === 'gate' ? 'gateBack' : 'gateBackToGate',
          ...shared,
          saved: saved.get(step.forward),
          geometry: gateGeometry(step.forward),
        });
      else if (step.kind === 'mean')
        back.push({ kind: 'meanBack', ...shared, geometry: { height: step.places } });
      else back.push({ kind: 'sum', ...shared });
    }
    back.push({ kind: 'store', from: backward.images, weights: scale, geometry: { inputs: channels } });

    const numbers = [
      ...[channels, height, width, forward.classes],
      ...[kept.length, ...kept],
      ...[backward.sizes.length, ...backward.sizes],
      ...[ahead.length, ...ahead.flatMap(numbersOf)],
      ...[back.length, ...back.flatMap(numbersOf)],
    ];
    return {
      constants,
      numbers: keep(integers(numbers)),
      curves: keep(tensor(Float64Array.from(curves), [curves.length])),
    };
  });
}

const identity: Curve = { kind: 'identity' };

function numbersOf(fields: Fields): number[] {
  const { kind, from = -1, to = -1, other, curve = -1, derivative = -1 } = fields;
  const { slopes = -1, saved = -1, weights = -1, bias = -1, geometry = {} } = fields;
  const head = [kinds[kind], from, to, other ?? -1, curve, derivative, slopes, saved, weights, bias];
  return [...head, ...geometryNumbers(geometry)];
}

const gateGeometry = ({ channels, places }: Extract<ForwardStep, { kind: 'gate' }>): Partial<Geometry> => ({
  inputs: channels,
  height: places,
});

function geometryNumbers(geometry: Partial<Geometry>): number[] {
  const { inputs = 0, outputs = 0, kernel = 0, stride = 0, top = 0, left = 0 } = geometry;
  const { height = 0, width = 0, outHeight = 0, outWidth = 0, groups = 0 } = geometry;
  return [inputs, outputs, kernel, stride, top, left, height, width, outHeight, outWidth, groups];
}

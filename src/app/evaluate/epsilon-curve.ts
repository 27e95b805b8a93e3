import { parseAttack } from '../../attacks/attack.js';
import { norms } from '../../attacks/norms.js';
import { chooseExamples } from '../../data/choose-examples.js';
import { type Dataset, subset } from '../../data/dataset.js';
import { DatasetTensors } from '../../data/dataset-tensors.js';
import { type EvaluationProgress, evaluate } from '../../evaluation/evaluate.js';
import type { EvaluationResult, ExampleResult } from '../../evaluation/result.js';
import { wilsonInterval } from '../../evaluation/statistics.js';
import type { CurvePoint, ThreatModel } from '../../report/input.js';
import { type Epsilon, parseEpsilon } from '../../user-input/epsilon.js';
import type { AttackableModel } from '../model/open-model.js';

export interface CurveOptions {
  readonly model: AttackableModel;
  readonly data: Dataset;
  /** Number of examples to attack, chosen as for an evaluation. @default all */
  readonly examples?: number;
  /** The threat model whose ε is scaled. */
  readonly threat: ThreatModel;
  /** Multiples of ε at which the curve is measured, ascending; clean accuracy is always included. @default 1/4 to 2 */
  readonly multiples?: readonly number[];
  /** Runs once for each ε, so cheaper than the attack of the evaluation. @default 'pgd-10' */
  readonly attack?: string;
  /** The model is randomised, see `ModelUnderTest`. @default false */
  readonly random?: boolean;
  /** An evaluation of the same images; reused at its ε if its first attack is this one. */
  readonly known?: EvaluationResult;
  readonly seed: number;
  /** Batch size; affects the speed only. */
  readonly batch: number;
  readonly interrupted: () => boolean;
  /** Called with each point as soon as it is known. */
  readonly onPoint?: (point: CurvePoint) => void;
  /** Called after every batch; `stage` includes the ε, `whole` counts the images of all of them. */
  readonly onProgress?: (
    progress: EvaluationProgress & { readonly whole: { readonly done: number; readonly total: number } },
  ) => void;
}

/**
 * Accuracy against ε: clean accuracy, then accuracy under the attack at multiples of ε. An example that is broken at one
 * ε is broken at every larger one, whose ball contains the same image, so only robust examples are attacked further.
 */
export async function epsilonCurve(options: CurveOptions): Promise<CurvePoint[]> {
  const { model, threat, known, seed, batch, interrupted, onProgress } = options;
  const attack = parseAttack(options.attack ?? 'pgd-10');
  const count = Math.min(options.examples ?? options.data.ids.length, options.data.ids.length);
  const data = subset(options.data, chooseExamples(options.data, count, { seed }));
  using fast = model.forAttacks();
  const subject = { exact: model.classify, fast: fast.classify, random: options.random === true };
  const radii = (options.multiples ?? [0.25, 0.5, 0.75, 1, 1.5, 2])
    .filter((multiple) => threat.norm !== 'linf' || threat.epsilon * multiple <= 1)
    .map((multiple) => times(threat, multiple));
  const points: CurvePoint[] = [];
  const point = (radius: Epsilon, standing: number, name: string): CurvePoint => ({
    ...radius,
    robust: standing / count,
    interval: wilsonInterval(standing, count),
    attack: name,
    examples: count,
  });
  let standing = Array.from({ length: count }, (_, index) => index);
  /** The verdicts at one ε, of the examples that were robust at the previous one. */
  const measure = async (radius: Epsilon, before: number): Promise<readonly ExampleResult[]> => {
    const fallen = count - standing.length;
    using tensors = new DatasetTensors(subset(data, standing), model.device);
    const { perExample } = await evaluate(subject, tensors, {
      attacks: [attack],
      threat: { norm: norms[threat.norm], epsilon: radius.epsilon },
      seed,
      batch,
      interrupted,
      onProgress: (progress) =>
        onProgress?.({
          ...progress,
          stage: `${progress.stage} at ε = ${radius.epsilonText}`,
          robust: (progress.robust * standing.length) / count,
          whole: {
            done: before * count + fallen + (progress.stage === attack.name ? progress.done : 0),
            total: radii.length * count,
          },
        }),
    });
    return perExample;
  };
  const add = (found: CurvePoint) => {
    points.push(found);
    options.onPoint?.(found);
  };
  for (const [place, radius] of radii.entries()) {
    const isKnown = known?.attacks[0]?.name === attack.name && known.epsilon === radius.epsilon;
    const found = isKnown ? known.perExample : standing.length === 0 ? [] : await measure(radius, place);
    const verdicts = new Map(found.map((each) => [each.id, each]));
    const verdict = (index: number) => verdicts.get(data.ids[index]!)!;
    const right = standing.filter((index) => verdict(index).clean);
    if (points.length === 0) add(point({ epsilon: 0, epsilonText: '0' }, right.length, 'none'));
    standing = right.filter((index) => verdict(index).brokenBy !== attack.name);
    add(point(radius, standing.length, attack.name));
  }
  return points;
}

/** A multiple of ε in the notation of ε: a quarter of 8/255 is 2/255, of 0.1 it is 0.025. */
function times({ norm, epsilon, epsilonText }: ThreatModel, multiple: number): Epsilon {
  if (multiple === 1) return { epsilon, epsilonText };
  const short = (value: number) => String(Number(value.toPrecision(6)));
  const [, over, under] = /^([^/]+?)\s*\/\s*([^/]+)$/.exec(epsilonText) ?? [];
  const text = over === undefined ? short(epsilon * multiple) : `${short(Number(over) * multiple)}/${under}`;
  return parseEpsilon(text, norm);
}

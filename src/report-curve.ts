import { parseAttack } from './attacks/attack.js';
import { norms } from './attacks/norms.js';
import type { Dataset } from './data/dataset.js';
import { DatasetTensors } from './data/tensors.js';
import { type Epsilon, parseEpsilon } from './epsilon.js';
import { type EvaluationProgress, evaluate } from './evaluation/evaluate.js';
import { wilsonInterval } from './evaluation/statistics.js';
import type { MeasuredModel } from './measured-model.js';
import type { CurvePoint, ThreatModel } from './report/input.js';

/** Of ε: where the curve of a report is measured, beside the images as they are. */
const multiples = [0.25, 0.5, 0.75, 1, 1.5, 2];

export interface CurveOptions {
  readonly model: MeasuredModel;
  readonly data: Dataset;
  /** The threat model of the run; the curve goes from no change to twice its ε. */
  readonly threat: ThreatModel;
  /** Cheaper than the attack of the evaluation: it is run six times. @default 'pgd-10' */
  readonly attack?: string;
  readonly seed: number;
  /** Images a batch; changes the speed only. */
  readonly batch: number;
  readonly interrupted: () => boolean;
  /** Told after every batch; `stage` names the ε too. */
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

/** Accuracy against ε, for a report: the images as they are, then the attack at 1/4, 1/2, 3/4, 1, 3/2 and 2 times ε. */
export async function accuracyCurve(options: CurveOptions): Promise<CurvePoint[]> {
  const { model, data, threat, seed, batch, interrupted, onProgress } = options;
  const attack = parseAttack(options.attack ?? 'pgd-10');
  const examples = data.ids.length;
  using tensors = new DatasetTensors(data);
  using fast = model.forAttacks();
  const radii = multiples
    .filter((multiple) => threat.norm === 'l2' || threat.epsilon * multiple <= 1)
    .map((multiple) => times(threat, multiple));
  const points: CurvePoint[] = [];
  for (const radius of radii) {
    const { clean, robust, interval } = await evaluate(
      { classify: model.classify, fast: fast.classify },
      tensors,
      {
        attacks: [attack],
        threat: { norm: norms[threat.norm], epsilon: radius.epsilon },
        seed,
        batch,
        interrupted,
        onProgress: ({ stage, ...progress }) =>
          onProgress?.({ stage: `${stage} at ε = ${radius.epsilonText}`, ...progress }),
      },
    );
    if (points.length === 0)
      points.push({
        epsilon: 0,
        epsilonText: '0',
        robust: clean,
        interval: wilsonInterval(Math.round(clean * examples), examples),
        attack: 'none',
        examples,
      });
    points.push({ ...radius, robust, interval, attack: attack.name, examples });
  }
  return points;
}

/** A multiple of ε, written as ε is: a quarter of 8/255 is 2/255, of 0.1 it is 0.025. */
function times({ norm, epsilon, epsilonText }: ThreatModel, multiple: number): Epsilon {
  if (multiple === 1) return { epsilon, epsilonText };
  const short = (value: number) => String(Number(value.toPrecision(6)));
  const [, over, under] = /^([^/]+?)\s*\/\s*([^/]+)$/.exec(epsilonText) ?? [];
  const text = over === undefined ? short(epsilon * multiple) : `${short(Number(over) * multiple)}/${under}`;
  return parseEpsilon(text, norm);
}

import { availableParallelism, cpus } from 'node:os';
import { norms } from '../../attacks/norms.js';
import type { Dataset } from '../../data/dataset.js';
import { DatasetTensors } from '../../data/dataset-tensors.js';
import { InterruptedError } from '../../errors.js';
import { missingGradient } from '../../evaluation/checks/require-gradient.js';
import type { FinishedEvaluation } from '../../evaluation/folder/finished.js';
import type { EvaluationResult } from '../../evaluation/result.js';
import { wilsonInterval } from '../../evaluation/statistics.js';
import { renderEvaluation } from '../../report/evaluation/page.js';
import { theModel } from '../../report/gallery.js';
import type { CurvePoint } from '../../report/input.js';
import { type CurveOptions, epsilonCurve } from '../evaluate/epsilon-curve.js';
import type { AttackableModel } from '../model/open-model.js';
import { chooseGallery } from './choose-gallery.js';

/** Multiples of ε for the curve of an evaluation. If accuracy does not fall along it, the network masks its gradient. */
export const evaluationMultiples = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4];

/** The fewest and the most images of a curve whose number is not stated. */
const usualExamples = { least: 20, most: 200 } as const;
/** A curve may take so long even if the evaluation took less. */
const leastSeconds = 5;

export interface EvaluationReportOptions extends Pick<CurveOptions, 'batch' | 'interrupted'> {
  readonly model: AttackableModel;
  /** What it was evaluated on. */
  readonly data: Dataset;
  readonly measured: FinishedEvaluation;
  /** Number of images for accuracy against ε; 0 for no curve, null for as many as take about as long as the evaluation. */
  readonly curveExamples: number | null;
  /** Called with the images of all points of the curve that are done. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/**
 * Renders the page of an evaluation. Measures accuracy against ε by APGD-CE (with gradients averaged over passes if the
 * model is randomised), and the last iterates of robust examples for the gallery; neither of a model without a gradient, of
 * which a flag says so. If interrupted, the page has the points that were measured, and is not whole.
 */
export async function evaluationReport(
  options: EvaluationReportOptions,
): Promise<{ readonly page: string; readonly isWhole: boolean }> {
  const { model, data, measured, curveExamples, batch, interrupted, onProgress } = options;
  const { result } = measured;
  const random = result.flags.some(({ code }) => code === 'random-model');
  const differentiable = isDifferentiable(options);
  const curve: CurvePoint[] = [];
  let isWhole = true;
  if (curveExamples !== 0 && differentiable)
    await epsilonCurve({
      model,
      data,
      examples: curveExamples ?? affordableExamples(result, random ? 20 : 1),
      threat: result,
      multiples: evaluationMultiples,
      attack: random ? 'apgd-ce-eot20' : 'apgd-ce',
      random,
      known: result,
      seed: result.seed,
      batch,
      interrupted,
      onPoint: (point) => curve.push(point),
      onProgress: ({ whole }) => onProgress?.(whole),
    }).catch((error: unknown) => {
      if (!(error instanceof InterruptedError)) throw error;
      isWhole = false;
    });
  const right = result.perExample.filter(({ clean }) => clean).length;
  const page = await renderEvaluation({
    result,
    cleanInterval: wilsonInterval(right, result.examples),
    curve,
    isWhole,
    gallery: chooseGallery({
      networks: [{ name: theModel, model, measured }],
      data,
      standing: differentiable,
    }),
    generated: new Date().toISOString(),
    machine: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} processors`,
  });
  return { page, isWhole };
}

/**
 * How many images the curve can have in about the time of the evaluation, which tells how long a pass takes: each is attacked
 * by 100 steps at every ε, until one breaks it.
 */
function affordableExamples({ attacks, seconds }: EvaluationResult, passesPerStep: number): number {
  const spent = attacks.reduce((sum, attack) => sum + attack.seconds, 0);
  const passes = attacks.reduce((sum, attack) => sum + attack.forwards + 2 * attack.backwards, 0);
  if (passes === 0) return usualExamples.most;
  const perImage = (spent / passes) * 3 * 100 * passesPerStep * evaluationMultiples.length;
  const affordable = Math.floor(Math.max(leastSeconds, seconds) / perImage);
  return Math.max(usualExamples.least, Math.min(usualExamples.most, affordable));
}

function isDifferentiable({
  model,
  data,
  measured: { result },
}: Pick<EvaluationReportOptions, 'model' | 'data' | 'measured'>): boolean {
  using fast = model.forAttacks();
  using tensors = new DatasetTensors(data, model.device);
  const subject = { exact: model.classify, fast: fast.classify };
  const threat = { norm: norms[result.norm], epsilon: result.epsilon };
  return missingGradient(subject, tensors, { threat, seed: result.seed }) === null;
}

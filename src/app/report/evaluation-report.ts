import { availableParallelism, cpus } from 'node:os';
import { norms } from '../../attacks/norms.js';
import type { Dataset } from '../../data/dataset.js';
import { DatasetTensors } from '../../data/dataset-tensors.js';
import { InterruptedError } from '../../errors.js';
import { missingGradient } from '../../evaluation/checks/require-gradient.js';
import type { FinishedEvaluation } from '../../evaluation/folder/finished.js';
import { wilsonInterval } from '../../evaluation/statistics.js';
import { renderEvaluation } from '../../report/evaluation/page.js';
import { theModel } from '../../report/gallery.js';
import { type CurveOptions, epsilonCurve } from '../evaluate/epsilon-curve.js';
import type { AttackableModel } from '../model/open-model.js';
import { chooseGallery } from './choose-gallery.js';

/** Multiples of ε for the curve of an evaluation. If accuracy does not fall along it, the network masks its gradient. */
const multiples = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4];

export interface EvaluationReportOptions extends Pick<CurveOptions, 'batch' | 'interrupted' | 'onProgress'> {
  readonly model: AttackableModel;
  /** What it was evaluated on. */
  readonly data: Dataset;
  readonly measured: FinishedEvaluation;
  /** Number of images for accuracy against ε; 0 for no curve. */
  readonly curveExamples: number;
}

/**
 * Renders the page of an evaluation. Measures accuracy against ε by APGD-CE (with gradients averaged over passes if the
 * model is randomised), and the last iterates of robust examples for the gallery; neither of a model without a gradient, of
 * which a flag says so.
 *
 * @throws {InterruptedError} if interrupted; no page is written.
 */
export async function evaluationReport(options: EvaluationReportOptions): Promise<string> {
  const { model, data, measured, curveExamples, batch, interrupted, onProgress } = options;
  const { result } = measured;
  const random = result.flags.some(({ code }) => code === 'random-model');
  const differentiable = isDifferentiable(options);
  const curve =
    curveExamples === 0 || !differentiable
      ? []
      : await epsilonCurve({
          model,
          data,
          examples: curveExamples,
          threat: result,
          multiples,
          attack: random ? 'apgd-ce-eot20' : 'apgd-ce',
          random,
          known: result,
          seed: result.seed,
          batch,
          interrupted,
          ...(onProgress === undefined ? {} : { onProgress }),
        }).catch((error: unknown) => {
          if (!(error instanceof InterruptedError)) throw error;
          throw new InterruptedError('Interrupted; the result was printed, its page was not written.', {
            cause: error,
          });
        });
  const right = result.perExample.filter(({ clean }) => clean).length;
  return renderEvaluation({
    result,
    cleanInterval: wilsonInterval(right, result.examples),
    curve,
    gallery: chooseGallery({
      networks: [{ name: theModel, model, measured }],
      data,
      standing: differentiable,
    }),
    generated: new Date().toISOString(),
    machine: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} processors`,
  });
}

function isDifferentiable({ model, data, measured: { result } }: EvaluationReportOptions): boolean {
  using fast = model.forAttacks();
  using tensors = new DatasetTensors(data, model.device);
  const subject = { exact: model.classify, fast: fast.classify };
  const threat = { norm: norms[result.norm], epsilon: result.epsilon };
  return missingGradient(subject, tensors, { threat, seed: result.seed }) === null;
}

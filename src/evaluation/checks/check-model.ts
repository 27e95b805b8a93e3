import type { Attack, Threat } from '../../attacks/attack.js';
import { type DatasetTensors, subBatch } from '../../data/dataset-tensors.js';
import type { Classifier } from '../../nn/classifier.js';
import { integers } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import { requireArgument, requireOptional } from '../../user-input/require-argument.js';
import { pause } from '../interruption.js';
import { misclassified } from '../misclassified.js';
import type { ModelUnderTest } from '../model-under-test.js';
import { requireLogits } from '../require-logits.js';
import { requireThreat } from '../require-threat.js';
import { dependsOnBatch } from './depends-on-batch.js';
import type { Flag } from './flag.js';
import { gradientFlags, inputGradients } from './input-gradients.js';
import { inputScale } from './input-scale.js';
import { logitsNotFinite } from './logits-not-finite.js';
import { lossSurface } from './loss-surface.js';
import { monotone } from './monotone.js';
import { optimisesAtInference } from './optimises-at-inference.js';
import { piecewiseConstant } from './piecewise-constant.js';
import { probabilities } from './probabilities.js';
import { type CheckCallbacks, checksInterrupted, exactClassifier, type Probe, probeBatch } from './probe.js';
import { randomizedModel } from './randomized-model.js';
import { requireGradient } from './require-gradient.js';

export interface CheckOptions extends CheckCallbacks {
  readonly threat: Threat;
  readonly seed: number;
  /** Also check monotonicity and the loss surface; costs a few hundred passes of 32 images. @default false */
  readonly full?: boolean;
  /** The attacks that are to run; refused if they need a gradient and the model has none. @default none */
  readonly attacks?: readonly Attack[];
}

export interface CheckedModel {
  readonly flags: readonly Flag[];
  /** The model to evaluate: marked as randomized if it is, and with a zero gradient if it has none. */
  readonly subject: ModelUnderTest;
  readonly classes: number;
}

/**
 * Checks a model on a few images before it is attacked. docs/checks.md describes the criterion and the remedy of each
 * flag.
 *
 * @throws {InputError} if the outputs are not logits over the classes of the data, or an attack needs a gradient that the
 *   model does not have.
 */
export async function checkModel(
  subject: ModelUnderTest,
  data: DatasetTensors,
  options: CheckOptions,
): Promise<CheckedModel> {
  requireArgument(subject, 'subject', 'checkModel');
  requireArgument(data, 'examples', 'checkModel');
  requireArgument(options, 'options', 'checkModel');
  const { threat, seed, full = false, interrupted } = options;
  requireThreat(threat);
  requireArgument(seed, 'whole', 'the seed of checkModel');
  requireOptional(interrupted, 'function', 'interrupted of checkModel');
  const { batch, labels, logits } = scope(() => {
    const sample = probeBatch(data);
    const output = noGrad(() => exactClassifier(subject)(sample.batch.x));
    requireLogits(output, { images: sample.labels.length, data: data.dataset });
    return { ...sample, logits: output };
  });
  const before: Probe = {
    subject,
    batch,
    labels,
    logits,
    classes: logits.dimension(1),
    threat,
    seed,
  };
  const flags: Flag[] = [];
  const add = (...found: readonly (Flag | null)[]) => {
    for (const flag of found) if (flag !== null) flags.push(flag);
  };
  try {
    const random = scope(() => randomizedModel(before));
    await pause(interrupted, checksInterrupted);
    const gradients = inputGradients(before);
    if (options.attacks !== undefined) requireGradient(gradients, options.attacks);
    await pause(interrupted, checksInterrupted);
    const probe = {
      ...before,
      subject: {
        ...subject,
        ...(random !== null && { random: true }),
        ...('missing' in gradients && { fast: withZeroGradient(subject.fast) }),
      },
    };
    scope(() => {
      add(random, probabilities(probe), logitsNotFinite(probe));
      // The logits of a randomized model change in every pass, whatever the batch or the step.
      if (random === null) add(dependsOnBatch(probe), piecewiseConstant(probe));
      add(optimisesAtInference(probe), ...gradientFlags(gradients), inputScale(probe));
    });
    await pause(interrupted, checksInterrupted);
    if (full) add(...(await fullChecks(probe, options)));
    return { flags, subject: probe.subject, classes: probe.classes };
  } finally {
    for (const tensor of [batch.x, batch.labels, logits]) tensor.dispose();
  }
}

/** Runs the full checks on the correctly classified images. */
async function fullChecks(probe: Probe, callbacks: CheckCallbacks): Promise<Flag[]> {
  const { subject, batch, labels, logits } = probe;
  const random = subject.random === true;
  const errors = new Set(misclassified(exactClassifier(subject), batch.x, { labels, random }).rows);
  const rows = [...labels.keys()].filter((row) => !errors.has(row));
  if (rows.length === 0) return [];
  const correct = scope(() => {
    const index = integers(rows, logits.device);
    return {
      ...probe,
      batch: subBatch(batch, rows),
      labels: rows.map((row) => labels[row]!),
      logits: logits.indexSelect(0, index),
    };
  });
  try {
    // The margin of a randomized model has no well-defined slope.
    return [...(await monotone(correct, callbacks)), ...(random ? [] : lossSurface(correct))];
  } finally {
    for (const tensor of [correct.batch.x, correct.batch.labels, correct.logits]) tensor.dispose();
  }
}

/** The same outputs with a zero gradient, so that gradient-based attacks run but find only what their start finds. */
function withZeroGradient(classify: Classifier): Classifier {
  return (x) =>
    classify(x)
      .detach()
      .add(x.mul(0).sum([1, 2, 3]).unsqueeze(1));
}

import type { Threat } from '../../attacks/attack.js';
import { type DatasetTensors, subBatch } from '../../data/dataset-tensors.js';
import type { Classifier } from '../../nn/classifier.js';
import { integers } from '../../tensor/create.js';
import { noGrad } from '../../tensor/gradient.js';
import { scope } from '../../tensor/scope.js';
import { pause } from '../interruption.js';
import { misclassified } from '../misclassified.js';
import type { ModelUnderTest } from '../model-under-test.js';
import { requireLogits } from '../require-logits.js';
import { dependsOnBatch } from './depends-on-batch.js';
import type { Flag } from './flag.js';
import { gradientFlags, inputGradients } from './input-gradients.js';
import { inputScale } from './input-scale.js';
import { lossSurface } from './loss-surface.js';
import { monotone } from './monotone.js';
import { optimisesAtInference } from './optimises-at-inference.js';
import { piecewiseConstant } from './piecewise-constant.js';
import { probabilities } from './probabilities.js';
import { type CheckCallbacks, given, interruptedChecks, type Probe, probeBatch } from './probe.js';
import { randomizedModel } from './randomized-model.js';

export interface CheckOptions extends CheckCallbacks {
  readonly threat: Threat;
  readonly seed: number;
  /** The monotone set and the loss around the images too; some hundred passes of 32 images. @default false */
  readonly full?: boolean;
}

export interface CheckedModel {
  readonly flags: readonly Flag[];
  /** The model as it shall be evaluated: judged by several passes where it is random, attackable where it has no gradient. */
  readonly subject: ModelUnderTest;
  readonly classes: number;
}

/**
 * Looks at a model on a few images before it is attacked. docs/checks.md says of each flag what is looked at, where the
 * line is drawn and what to do.
 *
 * @throws {InputError} where the model's outputs are no logits of the data's classes.
 */
export async function checkModel(
  subject: ModelUnderTest,
  data: DatasetTensors,
  options: CheckOptions,
): Promise<CheckedModel> {
  const { threat, seed, full = false, interrupted } = options;
  const { batch, labels, logits } = scope(() => {
    const probed = probeBatch(data);
    const answered = noGrad(() => given(subject)(probed.batch.x));
    requireLogits(answered, { images: probed.labels.length, data: data.dataset });
    return { ...probed, logits: answered };
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
    await pause(interrupted, interruptedChecks);
    const gradients = inputGradients(before);
    await pause(interrupted, interruptedChecks);
    const probe = {
      ...before,
      subject: {
        ...subject,
        ...(random !== null && { random: true }),
        ...(gradients === null && { fast: withZeroGradient(subject.fast) }),
      },
    };
    scope(() => {
      add(random, probabilities(probe));
      // A random model's logits change with or without company, and always by more than nothing.
      if (random === null) add(dependsOnBatch(probe), piecewiseConstant(probe));
      add(optimisesAtInference(probe), ...gradientFlags(gradients), inputScale(probe));
    });
    await pause(interrupted, interruptedChecks);
    if (full) add(...(await fullChecks(probe, options)));
    return { flags, subject: probe.subject, classes: probe.classes };
  } finally {
    for (const tensor of [batch.x, batch.labels, logits]) tensor.dispose();
  }
}

/** On the images that the model classifies rightly: the others need no attack. */
async function fullChecks(probe: Probe, callbacks: CheckCallbacks): Promise<Flag[]> {
  const { subject, batch, labels, logits } = probe;
  const random = subject.random === true;
  const wrong = new Set(misclassified(given(subject), batch.x, { labels, random }).rows);
  const rows = [...labels.keys()].filter((row) => !wrong.has(row));
  if (rows.length === 0) return [];
  const right = scope(() => {
    const index = integers(rows).toDevice(logits.device);
    return {
      ...probe,
      batch: subBatch(batch, rows),
      labels: rows.map((row) => labels[row]!),
      logits: logits.indexSelect(0, index),
    };
  });
  try {
    // A random model's margin has no slope to compare with.
    return [...(await monotone(right, callbacks)), ...(random ? [] : lossSurface(right))];
  } finally {
    for (const tensor of [right.batch.x, right.batch.labels, right.logits]) tensor.dispose();
  }
}

/** The same values with a gradient of 0, so that attacks along a gradient can run, and find only what their starts find. */
function withZeroGradient(classify: Classifier): Classifier {
  return (x) =>
    classify(x)
      .detach()
      .add(x.mul(0).sum([1, 2, 3]).unsqueeze(1));
}

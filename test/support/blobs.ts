import type { Dataset } from '../../src/data/dataset.js';
import { consecutiveIds } from '../../src/data/dataset.js';
import { DatasetTensors } from '../../src/data/dataset-tensors.js';
import type { ModelUnderTest } from '../../src/evaluation/model-under-test.js';
import { Model } from '../../src/models/model.js';
import { noise } from '../../src/tensor/noise.js';
import { scope } from '../../src/tensor/scope.js';
import type { Objective } from '../../src/training/objectives/objective.js';
import { Sgd } from '../../src/training/optimizers/sgd.js';

/** Images of 2x8x8 pixels of four classes: a pattern for each class, and noise. A small network learns them in seconds. */
export function blobs(count: number): Dataset {
  const shape = [2, 8, 8] as const;
  const [pixels, classes] = [128, ['a', 'b', 'c', 'd']];
  const labels = Uint8Array.from(
    { length: count },
    (_, place) => (place * 7 + (place >> 3)) % classes.length,
  );
  const draw = (ids: readonly number[], epoch: number) =>
    scope(() =>
      noise('normal', { key: { seed: 5, stream: 'bench', epoch }, ids, shape: [pixels] }).numbers(),
    );
  const patterns = draw([0, 1, 2, 3], 0);
  const numbers = draw([...labels.keys()], 1);
  const images = Uint8Array.from(numbers, (number, at) => {
    const pattern = patterns[labels[Math.floor(at / pixels)]! * pixels + (at % pixels)]!;
    return Math.round(255 * Math.min(1, Math.max(0, 0.5 + 0.08 * pattern + 0.15 * number)));
  });
  const ids = consecutiveIds(count);
  return { name: 'blobs:test', classes, shape, images, labels, ids, order: 'file', warnings: [] };
}

/** A ResNet-8 of a quarter of the width for such images. */
export function smallModel(dataset: Dataset, options: { activation?: string; seed?: number } = {}): Model {
  const { activation = 'silu', seed = 1 } = options;
  const { classes, shape } = dataset;
  return Model.create(
    { architecture: 'resnet8', width: 0.25, activation, classes, shape, normalise: null },
    { seed },
  );
}

/** A model, folded, and images, as an evaluation takes them; all freed by `dispose`, the model too. */
export function underAttack(model: Model, dataset: Dataset) {
  const folded = model.fold();
  const data = new DatasetTensors(dataset);
  const subject: ModelUnderTest = { exact: model.classify, fast: folded.classify };
  const dispose = () => {
    data[Symbol.dispose]();
    folded[Symbol.dispose]();
    model.dispose();
  };
  return { folded, data, subject, dispose };
}

export interface Training {
  /** One step on the next batch; answers the loss. */
  step(): number;
  [Symbol.dispose](): void;
}

/** Training steps of 32 images, in the order of the data. */
export function training(model: Model, dataset: Dataset, objective: Objective): Training {
  const data = new DatasetTensors(dataset);
  const parameters = model.network.parameters();
  const optimizer = new Sgd(parameters, { momentum: 0.9, nesterov: true, weightDecay: 5e-4 });
  const batch = 32;
  const stepsPerEpoch = Math.floor(data.count / batch);
  let step = 0;
  return {
    step: () =>
      scope(() => {
        const first = (step % stepsPerEpoch) * batch;
        const epoch = 1 + Math.floor(step++ / stepsPerEpoch);
        const places = Array.from({ length: batch }, (_, row) => first + row);
        const { loss, gradients } = objective.computeGradients(model, data.batch(places), {
          seed: 0,
          epoch,
          step: step - 1,
          stepsPerEpoch,
          part: 0,
          first: 0,
        });
        optimizer.step(gradients, 0.05);
        return loss.item();
      }),
    [Symbol.dispose]() {
      optimizer[Symbol.dispose]();
      data[Symbol.dispose]();
    },
  };
}
